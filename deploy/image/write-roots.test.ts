import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writeRoot } from "./write-roots.ts";

it("gives files and folders the modes that they have in a layer", () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-roots-"));
  const umask = process.umask(0o077);
  try {
    writeRoot(folder, [
      { kind: "directory", path: "tmp", mode: 0o1777 },
      { kind: "file", path: "usr/bin/node", mode: 0o755, content: Buffer.from("node") },
      { kind: "file", path: "app/main.js", mode: 0o644, content: Buffer.from("main") },
    ]);
    const modeOf = (path: string): number => statSync(join(folder, path)).mode & 0o7777;
    expect([modeOf("tmp"), modeOf("usr/bin/node"), modeOf("app/main.js")]).toEqual([0o1777, 0o755, 0o644]);
    expect(readFileSync(join(folder, "app/main.js"), "utf8")).toBe("main");
  } finally {
    process.umask(umask);
    rmSync(folder, { recursive: true });
  }
});
