import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";
import type { SerializedIncrementalTest, SerializedIncrementalTestSuite } from "@bufbuild/cel-spec/testdata/tests.js";
import { expect, test } from "vitest";
import { compileExpression } from "./index.ts";

/** Suites and expressions about protobuf messages and about extensions that expressions do not have. */
const FOREIGN_SUITES = new Set([
  "bindings_ext",
  "block_ext",
  "dynamic",
  "encoders_ext",
  "enums",
  "macros2",
  "math_ext",
  "network_ext",
  "optionals",
  "proto2",
  "proto2_ext",
  "proto3",
  "type_deductions",
  "wrappers",
]);
const FOREIGN = /google\.|TestAllTypes|\.proto[23]|cel\.\s*expr/;

interface Case {
  name: string;
  source: string;
  /** undefined: it must fail. */
  expected?: unknown;
}

function listCases(suite: SerializedIncrementalTestSuite, prefix: string): Case[] {
  const inner = (suite.suites ?? []).flatMap((child) =>
    FOREIGN_SUITES.has(child.name) ? [] : listCases(child, `${prefix}${child.name}/`),
  );
  return [...inner, ...(suite.tests ?? []).flatMap((entry) => toCase(entry, prefix))];
}

function toCase({ original }: SerializedIncrementalTest, prefix: string): Case[] {
  const { expr, value, evalError } = original;
  const needsMore = ["bindings", "container", "typeEnv", "checkOnly"].some((key) => original[key] !== undefined);
  if (needsMore || FOREIGN.test(expr) || (value === undefined && evalError === undefined)) return [];
  const name = `${prefix}${original.name ?? expr}`;
  if (value === undefined) return [{ name, source: expr }];
  return [{ name, source: expr, expected: toJson(value as Record<string, unknown>) }];
}

/** An expected value in the test data's own notation, as the JSON that expressions give. */
function toJson(value: Record<string, unknown>): unknown {
  const [[kind, inner] = ["nullValue", null]] = Object.entries(value);
  switch (kind) {
    case "int64Value":
    case "uint64Value":
    case "doubleValue":
      return Number(inner);
    case "nullValue":
      return null;
    case "listValue":
      return ((inner as { values?: Record<string, unknown>[] }).values ?? []).map(toJson);
    case "mapValue": {
      const { entries = [] } = inner as {
        entries?: { key: Record<string, unknown>; value: Record<string, unknown> }[];
      };
      return Object.fromEntries(entries.map((entry) => [String(toJson(entry.key)), toJson(entry.value)]));
    }
    default:
      return inner;
  }
}

function passes({ source, expected }: Case): boolean {
  let result: unknown;
  try {
    result = compileExpression(source).evaluate({ get: () => undefined });
  } catch {
    // JSON has no infinities: there a result that is one must fail.
    return expected === undefined || (typeof expected === "number" && !Number.isFinite(expected));
  }
  return expected !== undefined && isDeepStrictEqual(result, expected);
}

test("the conformance tests of CEL pass, but for the differences that are listed with their reason", () => {
  const listed = new Map<string, string>();
  const lines = readFileSync(new URL("../testdata/conformance-differences.txt", import.meta.url), "utf8").split("\n");
  let reason = "";
  for (const line of lines) {
    if (line.startsWith("#")) reason = line;
    else if (line.trim() !== "") listed.set(line.trim(), reason);
  }
  const cases = listCases(tests, "");
  const failing = cases.filter((entry) => !passes(entry)).map(({ name }) => name);
  expect(cases.length).toBeGreaterThan(900);
  expect(failing.filter((name) => !listed.has(name))).toEqual([]);
  expect([...listed.keys()].filter((name) => !failing.includes(name))).toEqual([]);
});
