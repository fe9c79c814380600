import { expect, it } from "vitest";
import { renderFinding } from "./finding.ts";
import { noColors } from "./style.ts";

const source = "workflow:\n  id: x\n\tnodes: [a, b]\n";
const finding = {
  severity: "error",
  ruleId: "HD202",
  rule: "unknown-node",
  message: "no node b",
  hint: "add it",
} as const;

it("shows the place with a mark below it, and the hint", () => {
  const lines = renderFinding(
    { ...finding, line: 2, column: 7, endLine: 2, endColumn: 8 },
    { path: "w.yaml", source, style: noColors },
  );
  expect(lines).toEqual([
    "w.yaml:2:7: error [HD202 unknown-node] no node b",
    "  2 |   id: x",
    "    |       ^",
    "  hint: add it",
  ]);
});

it("keeps tabs, so that the mark stands below its place", () => {
  const [, , mark] = renderFinding(
    { ...finding, line: 3, column: 13, endLine: 3, endColumn: 14 },
    { path: "w", source, style: noColors },
  );
  expect(mark).toBe("    | \t           ^");
});

it.each([
  [99, 1],
  [0, 0],
])("shows no frame for a place that is not there (%d:%d)", (line, column) => {
  expect(renderFinding({ ...finding, line, column }, { path: "w", source, style: noColors })).toHaveLength(2);
});

it("cuts long lines around the place", () => {
  const long = `${"x".repeat(5_000)}HERE${"y".repeat(5_000)}`;
  const [, text, mark] = renderFinding(
    { ...finding, line: 1, column: 5_001, endLine: 1, endColumn: 5_005 },
    { path: "w", source: long, style: noColors },
  );
  const at = mark?.indexOf("^") ?? 0;
  expect(text?.length).toBeLessThan(140);
  expect(text?.slice(at, at + 4)).toBe("HERE");
});
