/** One member of an archive. Everything that may differ between two machines (owner, time) is left out on purpose. */
export type TarEntry =
  | { kind: "file"; path: string; mode: number; content: Buffer }
  | { kind: "directory"; path: string; mode: number };

const BLOCK = 512;
/** Of the name field in a header; longer paths are split into prefix and name. */
const NAME_MAX = 100;
const PREFIX_MAX = 155;

/**
 * A ustar archive: members sorted by path, parents first, root as owner, the epoch as time. The same entries give the same bytes.
 * @throws RangeError for a path that ustar cannot hold
 */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const sorted = [...withParents(entries).values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const parts: Buffer[] = [];
  for (const entry of sorted) {
    parts.push(headerOf(entry));
    if (entry.kind === "directory") continue;
    parts.push(entry.content, Buffer.alloc((BLOCK - (entry.content.length % BLOCK)) % BLOCK));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function withParents(entries: readonly TarEntry[]): Map<string, TarEntry> {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join("/");
      if (!byPath.has(parent)) byPath.set(parent, { kind: "directory", path: parent, mode: 0o755 });
    }
  }
  return byPath;
}

function headerOf(entry: TarEntry): Buffer {
  const header = Buffer.alloc(BLOCK);
  const size = entry.kind === "file" ? entry.content.length : 0;
  const { name, prefix } = splitPath(entry.kind === "directory" ? `${entry.path}/` : entry.path);
  header.write(name, 0);
  header.write(octal(entry.mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  // The checksum counts its own field as blanks.
  header.write(" ".repeat(8), 148);
  header.write(entry.kind === "directory" ? "5" : "0", 156);
  header.write("ustar\u000000", 257);
  header.write(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\u0000 `, 148);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= NAME_MAX) return { name: path, prefix: "" };
  // The last slash but one that leaves a name which fits.
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== "" && Buffer.byteLength(name) <= NAME_MAX && Buffer.byteLength(prefix) <= PREFIX_MAX) {
      return { name, prefix };
    }
  }
  throw new RangeError(`${path}: too long for an archive in ustar format`);
}
