import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import type { TarEntry } from "./tar.ts";

const NODE = "usr/local/bin/node";
/** The user of every image; numeric, so that Kubernetes can tell that it is not root. */
export const USER_ID = 65_532;

/**
 * What a Node program needs of a distribution, and nothing else: the node binary, the shared libraries that it names, a user,
 * and how names are looked up. No shell, no package manager. Certificates and time zones are within Node.
 */
export function listRuntimeFiles(node: string = process.execPath): TarEntry[] {
  const binary = realpathSync(node);
  return [
    file(NODE, 0o755, readFileSync(binary)),
    // The loader itself is in the list too.
    ...librariesOf(binary).map((path) => file(path.slice(1), 0o755, readFileSync(realpathSync(path)))),
    file("etc/passwd", 0o644, Buffer.from(`root:x:0:0:root:/:/\nnonroot:x:${USER_ID}:${USER_ID}:nonroot:/app:/\n`)),
    file("etc/group", 0o644, Buffer.from(`root:x:0:\nnonroot:x:${USER_ID}:\n`)),
    file("etc/nsswitch.conf", 0o644, Buffer.from("hosts: files dns\n")),
    { kind: "directory", path: "tmp", mode: 0o1777 },
  ];
}

/** A folder as it is, below app/. */
export function listAppFiles(folder: string): TarEntry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => file(`app/${relative(folder, path).replaceAll("\\", "/")}`, 0o644, readFileSync(path)));
}

function file(path: string, mode: number, content: Buffer): TarEntry {
  return { kind: "file", path, mode, content };
}

/** Where the loader looks for each library of a binary. */
function librariesOf(binary: string): string[] {
  const output = execFileSync("ldd", [binary], { encoding: "utf8" });
  if (output.includes("not found")) throw new Error(`a library of ${binary} is missing:\n${output}`);
  return [...output.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}
