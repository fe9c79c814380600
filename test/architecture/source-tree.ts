import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSyntax, type Syntax } from "./syntax.ts";

/** One file of the repository. `path` is relative to the root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Parsed when first asked for; throws when the text is not valid TypeScript. */
  readonly syntax: Syntax;
}

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A workspace package, or the root itself with folder "". */
export interface Package {
  readonly folder: string;
  readonly manifestPath: string;
  readonly manifestText: string;
  readonly manifest: Manifest;
}

export interface SourceTree {
  readonly root: string;
  /** Every text file that people write. */
  readonly files: readonly SourceFile[];
  /** The TypeScript among them. */
  readonly sources: readonly SourceFile[];
  /** Generated JavaScript: nobody writes it, but what it imports must be declared. */
  readonly generated: readonly SourceFile[];
  readonly packages: readonly Package[];
  /** The package whose folder holds the path: the nearest one, in the end the root. */
  packageOf(path: string): Package;
}

const SKIPPED_FOLDERS = new Set(["node_modules", "testdata", "coverage", "dist"]);
/** Copied from their owners and never edited here. */
const FOREIGN_FOLDERS = ["proto/vendor/"];
const GENERATED_FOLDER = "libs/proto/src/";
const TEXT_FILE = /\.(ts|js|mjs|json|proto|ya?ml|md|sh|sql|txt)$|(^|\/)(Makefile|Dockerfile|run)$/;

/** Reads the tree under `root`: what git would track, without needing git. */
export function readSourceTree(root: string): SourceTree {
  const all = listFiles(root, "").filter((path) => TEXT_FILE.test(path));
  const generated = all.filter((path) => path.startsWith(GENERATED_FOLDER));
  const written = all.filter(
    (path) => !path.startsWith(GENERATED_FOLDER) && !FOREIGN_FOLDERS.some((folder) => path.startsWith(folder)),
  );
  const files = written.map((path) => readSourceFile(root, path));
  const packages = files.filter((file) => /(^|\/)package\.json$/.test(file.path)).map(readPackage);
  const byLongestFolder = packages.toSorted((a, b) => b.folder.length - a.folder.length);
  return {
    root,
    files,
    sources: files.filter((file) => file.path.endsWith(".ts")),
    generated: generated.filter((path) => path.endsWith(".js")).map((path) => readSourceFile(root, path)),
    packages,
    packageOf(path) {
      const found = byLongestFolder.find(({ folder }) => folder === "" || path.startsWith(`${folder}/`));
      if (found === undefined) throw new Error(`${root} has no package.json`);
      return found;
    },
  };
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !SKIPPED_FOLDERS.has(entry.name) && (!entry.name.startsWith(".") || entry.name === ".ci"))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return listFiles(root, path);
      return entry.isFile() ? [path] : [];
    });
}

function readSourceFile(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  let syntax: Syntax | undefined;
  return {
    path,
    text,
    get syntax() {
      syntax ??= parseSyntax(path, text);
      return syntax;
    },
  };
}

function readPackage(file: SourceFile): Package {
  const folder = file.path === "package.json" ? "" : file.path.slice(0, -"/package.json".length);
  const manifest = JSON.parse(file.text) as Manifest;
  return { folder, manifestPath: file.path, manifestText: file.text, manifest };
}
