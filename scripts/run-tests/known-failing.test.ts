import { describe, expect, test } from "vitest";
import { applyKnownFailing, parseKnownFailing } from "./known-failing.ts";
import type { Result } from "./result.ts";

const known = [{ name: "a.test.ts > waits", reason: "needs Kafka" }];
const result = (name: string, state: Result["state"]): Result => ({ name, state });

describe("parseKnownFailing", () => {
  test("takes the name and its reason, and leaves comments out", () => {
    const text = "# why this file\n\na.test.ts > waits > #1  # needs Kafka\n";
    expect(parseKnownFailing(text)).toEqual([{ name: "a.test.ts > waits > #1", reason: "needs Kafka" }]);
  });

  test("refuses a line without a reason, by its number", () => {
    expect(() => parseKnownFailing("# first\na.test.ts > waits\n")).toThrow("known-failing.txt:2");
  });
});

describe("applyKnownFailing", () => {
  test("an expected failure is skipped with its reason", () => {
    expect(applyKnownFailing([result("a.test.ts > waits", "failed")], known)).toEqual([
      { name: "a.test.ts > waits", state: "skipped", reason: "known to fail: needs Kafka" },
    ]);
  });

  test("an unexpected pass fails", () => {
    expect(applyKnownFailing([result("a.test.ts > waits", "passed")], known)).toMatchObject([{ state: "failed" }]);
  });

  test("a listed test that its file no longer has fails", () => {
    expect(applyKnownFailing([result("a.test.ts > other", "passed")], known)).toMatchObject([
      { name: "a.test.ts > other", state: "passed" },
      { name: "a.test.ts > waits", state: "failed" },
    ]);
  });

  test("a listed test of a file that was not run says nothing", () => {
    const results = [result("b.test.ts > waits", "passed")];
    expect(applyKnownFailing(results, known)).toEqual(results);
  });
});
