// Images of the programs in one archive, without a container engine:
//   node deploy/image/main.ts <archive.tar> [--repository heddle] [--tag 0.1.0] [service | name=entry.ts ...]
// Or the trees that are in them, <folder>/runtime and <folder>/<name>, for deploy/Dockerfile:
//   node deploy/image/main.ts <folder> --roots [service ...]
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeArchive } from "./archive.ts";
import { imageOf } from "./image-of.ts";
import { listAppFiles, listRuntimeFiles } from "./root-files.ts";
import { writeRoot } from "./write-roots.ts";

const { values, positionals } = parseArgs({
  options: {
    repository: { type: "string", default: "heddle" },
    tag: { type: "string" },
    roots: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const [target, ...programs] = positionals;
if (target === undefined) throw new Error("say where to: node deploy/image/main.ts <archive.tar> [service...]");
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

const bundles = mkdtempSync(join(tmpdir(), "heddle-image-"));
try {
  execFileSync(process.execPath, ["scripts/bundle.ts", bundles, ...programs], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const runtime = listRuntimeFiles();
  const names = readdirSync(bundles).toSorted();
  if (values.roots) {
    writeRoot(join(target, "runtime"), runtime);
    for (const name of names) writeRoot(join(target, name), listAppFiles(join(bundles, name)));
  } else {
    const images = names.map((name) =>
      imageOf(name, {
        reference: `${values.repository}/${name}:${values.tag ?? version}`,
        version: values.tag ?? version,
        layers: [runtime, listAppFiles(join(bundles, name))],
      }),
    );
    for (const { reference, bytes } of writeArchive(target, images)) {
      console.log(`${reference}: ${(bytes / 1e6).toFixed(1)} MB`);
    }
  }
} finally {
  rmSync(bundles, { recursive: true });
}
