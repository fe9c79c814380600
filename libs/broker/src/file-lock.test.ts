import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withFileLock } from "./file-lock.ts";
import { startOf } from "./processes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "file-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("one at a time, and nothing stays behind", async () => {
  let inside = 0;
  const most: number[] = [];
  const work = async (): Promise<void> => {
    most.push(++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  const path = join(folder, "lock");
  await Promise.all(Array.from({ length: 5 }, () => withFileLock(path, work)));
  expect(most).toEqual([1, 1, 1, 1, 1]);
  expect(readdirSync(folder)).toEqual([]);
});

test("it is released when the work fails", async () => {
  const path = join(folder, "lock");
  await expect(withFileLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(withFileLock(path, () => Promise.resolve("yes"))).resolves.toBe("yes");
});

test.each([
  ["is gone", "4194305 1"],
  ["has its number taken by another", `${process.pid} not-when-this-one-began`],
])("the lock of an owner that %s is taken over", async (_case, owner) => {
  const path = join(folder, "lock");
  writeFileSync(path, owner);
  await expect(withFileLock(path, () => Promise.resolve("mine"))).resolves.toBe("mine");
});

test("the start of a process tells it from its successors", () => {
  expect(startOf(process.pid)).toBe(startOf(process.pid));
  expect(startOf(process.pid)).not.toBe(startOf(process.ppid));
  expect(startOf(4_194_305)).toBeUndefined();
});
