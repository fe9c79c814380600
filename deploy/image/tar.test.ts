import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type TarEntry, tarOf } from "./tar.ts";

const long = `${"folder/".repeat(20)}file`;
const entries: TarEntry[] = [
  { kind: "file", path: "b/two", mode: 0o755, content: Buffer.from("2") },
  { kind: "file", path: "a", mode: 0o644, content: Buffer.alloc(1025, "x") },
  { kind: "directory", path: "tmp", mode: 0o1777 },
  { kind: "file", path: long, mode: 0o644, content: Buffer.from("deep") },
];

it("is what tar reads: sorted, with parents, modes, sizes, and nobody's name or time", () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-tar-"));
  try {
    const path = join(folder, "x.tar");
    writeFileSync(path, tarOf(entries));
    const list = execFileSync("tar", ["--numeric-owner", "--utc", "-tvf", path], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(list[0]).toMatch(/^-rw-r--r-- 0\/0 +1025 1970-01-01 00:00 a$/);
    expect(list[1]).toMatch(/^drwxr-xr-x 0\/0 .* b\/$/);
    expect(list[2]).toMatch(/^-rwxr-xr-x 0\/0 +1 .* b\/two$/);
    expect(list.at(-1)).toMatch(/^drwxrwxrwt .* tmp\/$/);
    expect(execFileSync("tar", ["-xOf", path, long], { encoding: "utf8" })).toBe("deep");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("does not depend on the order of its entries", () => {
  expect(tarOf(entries.toReversed()).equals(tarOf(entries))).toBe(true);
});

it("refuses a path that the format cannot hold", () => {
  expect(() => tarOf([{ kind: "directory", path: "x".repeat(101), mode: 0o755 }])).toThrow(/too long/);
});
