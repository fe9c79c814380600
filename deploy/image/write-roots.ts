import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TarEntry } from "./tar.ts";

/** The same files as in a layer, as a tree: what deploy/Dockerfile copies. */
export function writeRoot(folder: string, entries: readonly TarEntry[]): void {
  for (const entry of entries) {
    const path = join(folder, entry.path);
    mkdirSync(entry.kind === "directory" ? path : dirname(path), { recursive: true });
    if (entry.kind === "file") writeFileSync(path, entry.content);
    // Not by the calls above: the umask would take from it, and a folder may be there already.
    chmodSync(path, entry.mode);
  }
}
