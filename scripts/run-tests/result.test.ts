import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readResults, summaryLine, type Result } from "./result.ts";

test("the closing line names skips only when there are any", () => {
  const passed: Result = { name: "a", state: "passed" };
  expect(summaryLine([passed, { name: "b", state: "failed" }])).toBe("1 passed, 1 failed");
  expect(summaryLine([passed, { name: "c", state: "skipped" }])).toBe("1 passed, 0 failed, 1 skipped");
});

test("a line that a kill cut short is left out; a file that never came is empty", () => {
  const folder = mkdtempSync(join(tmpdir(), "results-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "cut"), '{"name":"a","state":"passed"}\n{"name":"b","sta');
  expect(readResults(join(folder, "cut"))).toEqual([{ name: "a", state: "passed" }]);
  expect(readResults(join(folder, "missing"))).toEqual([]);
});
