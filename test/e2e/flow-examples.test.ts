import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExampleRunner, EXAMPLES, type ExampleRunner } from "./run-example.ts";

let runner: ExampleRunner;

beforeAll(async () => {
  runner = await createExampleRunner();
});
afterAll(() => runner.dispose());

describe("10-saga", () => {
  it("gives back what was booked, the last first", async () => {
    interface Trips {
      ended: { status: string; calls: string[] }[];
      booked: string[];
    }
    const { ended, booked } = await runner.resultOf<Trips>("10-saga");
    expect(ended.map(({ status }) => status)).toEqual(["completed", "failed"]);
    expect(ended[1]?.calls.map((call) => call.replace(/\/\d+$/, ""))).toEqual([
      "POST /flights",
      "POST /hotels",
      "POST /cars",
      "DELETE /hotels",
      "DELETE /flights",
    ]);
    expect(booked.map((name) => name.split("/")[0])).toEqual(["flights", "hotels", "cars"]);
  });
});

describe("11-survey", () => {
  it("goes on when a few of a thousand items fail", async () => {
    const result = await runner.resultOf("11-survey");
    expect(result).toEqual({
      asked: 1_000,
      good: 975,
      first: { user: "person-0", host: "example.com" },
      shown: ["bad_address", "bad_address", "bad_address"],
    });
  });
});

describe("12-fallback-model", () => {
  it("asks the small model when the large one is overloaded, and only then", async () => {
    const shown = await runner.run("12-fallback-model");
    const readme = await readFile(join(EXAMPLES, "12-fallback-model/README.md"), "utf8");
    expect(readme).toContain(shown.trim());
  });
});

describe("13-search-pages", () => {
  it("stops at the page that has the entry", async () => {
    expect(await runner.resultOf("13-search-pages")).toEqual({ found: "disk 7 is full", pages: 311 });
  });
});

describe("14-folder-tree", () => {
  it("adds up all levels", async () => {
    expect(await runner.resultOf("14-folder-tree")).toEqual({ bytes: 12_700, folders: 127 });
  });
});
