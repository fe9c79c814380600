import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { explain, type Finding, type Rule } from "./rule.ts";
import { RULES } from "./rules.ts";
import { ALLOWED, CLEAN, VIOLATIONS, type Files } from "./seeds.ts";
import { readSourceTree } from "./source-tree.ts";

/** Writes the tree to a disk of its own and reads it back, as the rules would read this repository. */
function check(rule: Rule, files: Files): Finding[] {
  const root = mkdtempSync(join(tmpdir(), "architecture-"));
  try {
    for (const [path, text] of Object.entries({ ...CLEAN, ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return rule.check(readSourceTree(root));
  } finally {
    rmSync(root, { recursive: true });
  }
}

function ruleNamed(id: string): Rule {
  const rule = RULES.find((candidate) => candidate.id === id);
  if (rule === undefined) throw new Error(`no rule is named ${id}`);
  return rule;
}

const places = (findings: readonly Finding[]): string[] =>
  [...new Set(findings.map(({ file, line }) => `${file}:${line}`))].sort();

describe("a rule fails where it is broken", () => {
  test.each(VIOLATIONS)("$rule: $name", ({ rule, files, at }) => {
    expect(places(check(ruleNamed(rule), files))).toEqual([...at].sort());
  });

  test.each(RULES)("$id has a seeded violation", ({ id }) => {
    expect(VIOLATIONS.map(({ rule }) => rule)).toContain(id);
  });
});

describe("a rule lets pass what it does not mean", () => {
  test.each(RULES)("$id: the clean tree", (rule) => {
    expect(check(rule, {})).toEqual([]);
  });

  test.each(ALLOWED)("$rule: $name", ({ rule, files }) => {
    expect(check(ruleNamed(rule), files)).toEqual([]);
  });
});

describe("a finding teaches", () => {
  test("it says where, what, why and how to mend it", () => {
    const rule = ruleNamed("pure-names");
    const findings = check(rule, { "libs/engine/src/decide.ts": "export const now = Date.now();\n" });
    const text = explain(rule, findings);
    expect(text).toContain("libs/engine/src/decide.ts:1  uses Date");
    expect(text).toContain(`why: ${rule.why}`);
    expect(text).toContain(`remedy: ${rule.remedy}`);
  });
});
