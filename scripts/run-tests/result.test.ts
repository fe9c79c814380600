import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readReport, summaryLine, type Result } from "./result.ts";

test("the closing line names skips only when there are any", () => {
  const passed: Result = { name: "a", state: "passed" };
  expect(summaryLine([passed, { name: "b", state: "failed" }])).toBe("1 passed, 1 failed");
  expect(summaryLine([passed, { name: "c", state: "skipped" }])).toBe("1 passed, 0 failed, 1 skipped");
});

test("a line that a kill cut short is left out; a file that never came is empty", () => {
  const folder = mkdtempSync(join(tmpdir(), "results-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "cut"), '{"name":"a","state":"passed"}\n{"name":"b","sta');
  expect(readReport(join(folder, "cut"))).toEqual({ results: [{ name: "a", state: "passed" }], unfinished: [] });
  expect(readReport(join(folder, "missing"))).toEqual({ results: [], unfinished: [] });
});

test("a file that began and did not end is unfinished", () => {
  const folder = mkdtempSync(join(tmpdir(), "results-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const line = (file: string, phase: string): string => `${JSON.stringify({ file, phase })}\n`;
  writeFileSync(join(folder, "hung"), line("a", "began") + line("b", "began") + line("a", "ended"));
  expect(readReport(join(folder, "hung"))).toEqual({ results: [], unfinished: ["b"] });
});
