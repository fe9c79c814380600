import { expect, test } from "vitest";
import { compileDefinition, formatFinding } from "./index.ts";

const format = (source: string): string[] =>
  compileDefinition(source).findings.map((finding) => formatFinding(finding, { fileName: "w.yaml", source }));

test("file, line and column, the line with a mark under the place, and the hint", () => {
  const source = `workflow:\n  id: w\n  type: dag\n  nodes:\n    - { id: a, type: tool, tool: t, dependecies: [] }\n`;
  expect(format(source)).toEqual([
    [
      'w.yaml:5:37: error [HD102 unknown-field] tool node "a" has no field "dependecies"',
      "  5 |     - { id: a, type: tool, tool: t, dependecies: [] }",
      "    |                                     ^^^^^^^^^^^",
      '  hint: did you mean "dependencies"?',
    ].join("\n"),
  ]);
});

test("a long line is cut around the place, a place of several lines is marked to the end of its first", () => {
  const [long] = format(
    `workflow: { id: w, type: dag, nodes: [], ${"labels: {}, ".repeat(1)}${" ".repeat(300)}color: red${" ".repeat(300)} }\n`,
  ).slice(-1);
  const [, line, mark] = long!.split("\n");
  expect(line!.length).toBeLessThan(140);
  expect(line!.slice(mark!.indexOf("^"), mark!.lastIndexOf("^") + 1)).toBe("color");
  const [several] = format("- a\n- b\n");
  expect(several).toContain("  1 | - a\n    | ^^^\n");
});

test("without the source there is no frame, and the file has a name that says nothing", () => {
  const [finding] = compileDefinition("x").findings;
  expect(formatFinding(finding!)).toBe(
    "definition:1:1: error [HD103 wrong-type] the definition is text where an object is expected\n  hint: it begins with `workflow:`",
  );
});
