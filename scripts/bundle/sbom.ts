import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Component {
  type: "library" | "application";
  name: string;
  version: string;
  purl: string;
  licenses?: { license: { id: string } }[];
}

/** What a bundle is made of, as CycloneDX 1.6: the packages of its modules, and the Node that runs it. The same input gives the same text. */
export function sbomOf(name: string, moduleIds: readonly string[]): string {
  const manifests = new Set(moduleIds.flatMap((id) => (id.includes("node_modules/") ? manifestOf(id) : [])));
  const libraries = [...manifests].map(componentOf).toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const node: Component = {
    type: "application",
    name: "node",
    version: process.versions.node,
    purl: `pkg:generic/node@${process.versions.node}`,
  };
  return `${JSON.stringify(
    {
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      version: 1,
      metadata: { component: { type: "application", name: `heddle-${name}`, version } },
      components: [node, ...libraries],
    },
    undefined,
    1,
  )}\n`;
}

/** The package.json that says what package a file belongs to: the nearest one with a name and a version. */
function manifestOf(file: string): string[] {
  for (let folder = dirname(file.replace(/^\0+/, "")); folder.includes("node_modules/"); folder = dirname(folder)) {
    const path = join(folder, "package.json");
    if (existsSync(path) && "version" in (JSON.parse(readFileSync(path, "utf8")) as object)) return [path];
  }
  return [];
}

function componentOf(path: string): Component {
  const { name, version, license } = JSON.parse(readFileSync(path, "utf8")) as {
    name: string;
    version: string;
    license?: string;
  };
  return {
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    ...(license !== undefined && { licenses: [{ license: { id: license } }] }),
  };
}
