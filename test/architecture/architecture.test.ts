import { describe, expect, test } from "vitest";
import { explain } from "./rule.ts";
import { RULES } from "./rules.ts";
import { readSourceTree } from "./source-tree.ts";

describe("the repository keeps its rules", () => {
  const tree = readSourceTree(new URL("../..", import.meta.url).pathname);

  test.each(RULES)("$id", (rule) => {
    const findings = rule.check(tree);
    expect(findings, explain(rule, findings)).toHaveLength(0);
  });

  // A reader that found nothing would let every rule pass.
  test("the tree that was read is this one", () => {
    expect(tree.packages.length).toBeGreaterThan(15);
    expect(tree.sources.map(({ path }) => path)).toContain("test/architecture/architecture.test.ts");
    expect(tree.sources.every(({ syntax }) => syntax.imports.length >= 0)).toBe(true);
  });
});
