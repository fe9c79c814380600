import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RULES, compileDefinition } from "./index.ts";
import type { CompileDefinitionOptions, Finding } from "./index.ts";

const FILE = new URL("../testdata/broken.txt", import.meta.url);
const REWRITE = process.env["REWRITE"] === "1";

const options: CompileDefinitionOptions = {
  knownTools: new Map([
    ["t", {}],
    [
      "http_request",
      {
        inputSchema: {
          type: "object",
          properties: { url: { type: "string" }, method: { enum: ["GET", "POST"] } },
          required: ["url"],
          additionalProperties: false,
        },
      },
    ],
  ]),
  knownAgents: new Set(["writer"]),
  workflowExists: (id) => id !== "missing",
};

interface Case {
  name: string;
  source: string;
  expected: string;
}

function readCases(text: string): { preamble: string; cases: Case[] } {
  const [preamble = "", ...parts] = text.split(/^=== /m);
  const cases = parts.map((part) => {
    const [head = "", source = "", expected = ""] = /^([^\n]*)\n([^]*?)^--- found\n([^]*)$/m.exec(part)?.slice(1) ?? [];
    return { name: head, source, expected: expected.trim() };
  });
  return { preamble, cases };
}

function describeFinding({
  ruleId,
  rule,
  severity,
  line,
  column,
  endLine,
  endColumn,
  path,
  message,
  hint,
}: Finding): string {
  const end = endLine === line ? String(endColumn) : `${endLine}:${endColumn}`;
  return `${line}:${column}-${end} ${severity} ${ruleId} ${rule} ${path}\n    ${message}\n    -> ${hint}`;
}

const { preamble, cases } = readCases(readFileSync(FILE, "utf8"));

describe("broken definitions", () => {
  const results = cases.map(({ source }) => compileDefinition(source, options));
  if (REWRITE) {
    const blocks = cases.map(
      ({ name, source }, index) =>
        `=== ${name}\n${source}--- found\n${results[index]!.findings.map(describeFinding).join("\n")}\n`,
    );
    writeFileSync(FILE, preamble + blocks.join("\n"));
  }

  test.each(cases.map((entry, index) => ({ ...entry, index })))("$name", ({ expected, index }) => {
    const { plan, findings } = results[index]!;
    const found = findings.map(describeFinding).join("\n");
    if (!REWRITE) expect(found).toBe(expected);
    expect(found).not.toBe("");
    expect(plan === undefined).toBe(findings.some(({ severity }) => severity === "error"));
  });

  test("every rule is shown, but for those that need a large file", () => {
    const shown = new Set(results.flatMap(({ findings }) => findings.map(({ rule }) => rule)));
    const large = ["too-large", "too-deep", "too-many-values", "bad-encoding", "too-many-nodes", "too-many-states"];
    expect(Object.keys(RULES).filter((rule) => !shown.has(rule as Finding["rule"]))).toEqual(large);
  });
});
