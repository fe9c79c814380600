import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CliIo } from "./io.ts";
import { readJsonObject, readJsonObjectFile, readJsonValue, readTextFile } from "./json-input.ts";

describe("input", () => {
  let folder: string;
  const io = { readStdin: async () => '{"from":"stdin"}' } as unknown as CliIo;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-input-"));
    await writeFile(join(folder, "a.json"), '{"a":1}');
    await writeFile(join(folder, "b.yaml"), "b: [1, 2]\nwhen: 2024-01-31\n");
    await writeFile(join(folder, "bad.yml"), "a: [1");
    await writeFile(join(folder, "bomb.yaml"), bomb());
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ["text", () => '{"a":{"b":[1,null]}}', { a: { b: [1, null] } }],
    ["standard input", () => "-", { from: "stdin" }],
    ["a JSON file", () => `@${folder}/a.json`, { a: 1 }],
    ["a YAML file", () => `@${folder}/b.yaml`, { b: [1, 2], when: "2024-01-31" }],
  ])("is read from %s", async (_, given, expected) => {
    expect(await readJsonObject(given(), "--input", io)).toEqual(expected);
  });

  it("of a signal may be any JSON value", async () => {
    expect(await readJsonValue("true", "--payload", io)).toBe(true);
  });

  it.each([
    ["not JSON", () => "{a:1}", "the text after --input is not JSON"],
    ["a list", () => "[1]", "the value of --input is a list; it has to be an object"],
    ["null", () => "null", "the value of --input is null"],
    ["no file", () => `@${folder}/none.json`, "there is no file"],
    ["a folder", () => `@${folder}`, "cannot be read: EISDIR"],
    ["bad YAML", () => `@${folder}/bad.yml`, "bad.yml is not YAML"],
    ["a YAML bomb", () => `@${folder}/bomb.yaml`, "is not YAML"],
  ])("is refused when it is %s", async (_, given, message) => {
    await expect(readJsonObject(given(), "--input", io)).rejects.toThrow(message);
  });

  it("from --input-file needs no @", async () => {
    expect(await readJsonObjectFile(join(folder, "a.json"), "--input-file")).toEqual({ a: 1 });
  });

  it("that is too large is refused by its size, before it is read", async () => {
    await expect(readTextFile(join(folder, "a.json"), 3)).rejects.toThrow("has 7 bytes; at most 3 are allowed");
  });
});

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const item = level === 0 ? "x" : `*a${level - 1}`;
    return `a${level}: &a${level} [${Array.from({ length: 9 }, () => item).join(", ")}]`;
  });
  return levels.join("\n");
}
