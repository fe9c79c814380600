import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colors } from "./style.ts";
import { oneLine, padEnd, textWidth, truncate } from "./text-width.ts";

describe("textWidth", () => {
  it.each([
    ["abc", 3],
    ["", 0],
    ["日本語", 6],
    ["é", 1],
    ["e\u0301", 1],
    ["👍🏽 ok", 5],
    [colors.red("red"), 3],
    ["○ ✓ ✗ …", 7],
  ])("of %j is %d", (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe("truncate", () => {
  it.each([
    ["abcdef", 4, "abc…"],
    ["abcd", 4, "abcd"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["abc", 0, ""],
  ])("%j to %d cells is %j", (text, columns, expected) => {
    expect(truncate(text, columns)).toBe(expected);
  });

  it("switches colours off that it cuts", () => {
    expect(truncate(colors.red("abcdef"), 4)).toBe("\u001b[31mabc…\u001b[0m");
  });

  it("never gives more cells than asked for", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 40 }), (text, columns) => {
        expect(textWidth(truncate(oneLine(text), columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

it("padEnd counts cells, not characters", () => {
  expect(padEnd("日本", 6)).toBe("日本  ");
});

it("oneLine leaves nothing that moves the cursor", () => {
  expect(oneLine("a\r\n\tb\u001b[2Jc\u2028d\u0000")).toBe("a b [2Jc d");
});
