import { expect } from "vitest";
import { MAX_FINDINGS, compileDefinition } from "../../src/index.ts";
import type { CompiledDefinition } from "../../src/index.ts";

/** What holds for every source. */
export function checkSource(source: string | Uint8Array): CompiledDefinition {
  const compiled = compileDefinition(source);
  const { plan, findings, summary } = compiled;
  const hasErrors = findings.some(({ severity }) => severity === "error");
  expect(plan === undefined).toBe(hasErrors);
  expect(summary === undefined).toBe(hasErrors);
  expect(findings.length).toBeLessThanOrEqual(MAX_FINDINGS);
  for (const [index, { line, column, endLine, endColumn, message, hint }] of findings.entries()) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(endLine > line || (endLine === line && endColumn >= column)).toBe(true);
    expect(message).not.toBe("");
    expect(hint).not.toBe("");
    const before = findings[index - 1];
    if (before !== undefined)
      expect(before.line < line || (before.line === line && before.column <= column)).toBe(true);
  }
  if (plan !== undefined) checkPlan(plan);
  return compiled;
}

function checkPlan(plan: NonNullable<CompiledDefinition["plan"]>): void {
  if (plan.type === "state_machine") return;
  const { nodes } = plan;
  expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
  const settled = new Set<number>();
  const isReady = (index: number): boolean => {
    const { dependencies, activators } = nodes[index]!;
    return [...dependencies, ...activators].every((other) => settled.has(other));
  };
  for (const { dependencies, activators } of nodes) {
    for (const list of [dependencies, activators]) {
      expect(list).toEqual([...new Set(list)].sort((left, right) => left - right));
      expect(list.every((index) => Number.isInteger(index) && index >= 0 && index < nodes.length)).toBe(true);
    }
  }
  for (let before = -1; settled.size > before; ) {
    before = settled.size;
    for (const index of nodes.keys()) if (isReady(index)) settled.add(index);
  }
  expect(settled.size).toBe(nodes.length);
}
