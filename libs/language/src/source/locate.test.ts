import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { createReport } from "../report.ts";
import { createLines, createScalarLocator } from "./locate.ts";
import { readSource } from "./read-source.ts";
import type { SourceScalar } from "./source-node.ts";

/** The only value of `x: ...`. */
function readScalar(source: string): SourceScalar {
  const report = createReport(source);
  const root = readSource(source, report);
  const scalar = root?.kind === "map" ? root.entries.get("x")?.value : undefined;
  if (scalar?.kind !== "scalar") throw new Error(`no scalar in ${source}: ${JSON.stringify(report.findings(root))}`);
  return scalar;
}

describe("the place of a part of a text", () => {
  test.each([
    ["plain", "x: some ${mark} text\n"],
    ["plain in several lines", "x: some\n  text ${mark}\n  and more\n"],
    ["single quotes", "x: 'it''s '' ${mark} here'\n"],
    ["single quotes in several lines", "x: 'it''s\n\n   a ${mark} here'\n"],
    ["double quotes", 'x: "a \\" \\u00e9 \\t \\x41 🐱 ${mark} b"\n'],
    ["escaped pairs", 'x: "\\ud83d\\udc31 \\U0001F431 ${mark}"\n'],
    ["double quotes in several lines", 'x: "a \\\n    b\\n\n    ${mark}"\n'],
    ["literal block", "x: |\n    first\n      ${mark} x\n"],
    ["literal block with its indentation", "x: |2-\n     first\n    ${mark} x\n"],
    ["folded block", "x: >-  # comment\n  first\n  ${mark}\n\n  third\n"],
    ["flow", "x:    'a'\ny: [1, 2]\n".replace("'a'", "'${mark}'")],
    ["Windows line ends", "x: |\r\n  first\r\n  ${mark}\r\n"],
  ])("%s", (_name, source) => {
    const scalar = readScalar(source);
    const offset = String(scalar.value).indexOf("mark");
    const { start, end } = createScalarLocator(source, scalar)(offset, 4);
    expect(source.slice(start, end)).toBe("mark");
  });

  test("whatever the text and its style", () => {
    const part = fc.string({
      unit: fc.constantFrom(...Array.from("abc '\"\\:#-é\n"), "  ", "\n\n", "🐱", "\t"),
      maxLength: 20,
    });
    const style = fc.constantFrom("PLAIN", "QUOTE_SINGLE", "QUOTE_DOUBLE", "BLOCK_LITERAL", "BLOCK_FOLDED");
    fc.assert(
      fc.property(
        part,
        part,
        style,
        fc.integer({ min: 20, max: 60 }),
        (before, after, defaultStringType, lineWidth) => {
          const text = `${before}${"${mark}"}${after}`;
          const source = stringify({ x: text }, { defaultStringType: defaultStringType as "PLAIN", lineWidth });
          const scalar = readScalar(source);
          // Not every style can hold every text: a folded one loses a line end at its beginning.
          fc.pre(scalar.value === text);
          const { start, end } = createScalarLocator(source, scalar)(text.indexOf("mark"), 4);
          // A double-quoted line may be broken anywhere.
          expect(source.slice(start, end).replaceAll(/\\\n\s*/g, "")).toBe("mark");
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

test("lines end with \\n, \\r\\n or \\r, and columns count characters", () => {
  const lines = createLines("a\nb🐱c\r\nd\re");
  const at = (offset: number): string => {
    const { line, column } = lines.position(offset);
    return `${line}:${column}`;
  };
  expect([0, 1, 2, 3, 5, 8, 10].map(at)).toEqual(["1:1", "1:2", "2:1", "2:2", "2:3", "3:1", "4:1"]);
  expect([1, 2, 3, 4, 5].map((line) => lines.text(line))).toEqual(["a", "b🐱c", "d", "e", ""]);
});
