import { expect, it } from "vitest";
import { linearRegularExpression } from "./regular-expression.ts";

it("finds a pattern anywhere, and between its anchors", () => {
  expect(linearRegularExpression("b+", "u").test("abbc")).toBe(true);
  expect(linearRegularExpression("^b+$", "u").test("abbc")).toBe(false);
  expect(linearRegularExpression("^\\p{L}+$", "u").test("größe")).toBe(true);
});

it("takes linear time for what makes a native one explode", () => {
  expect(linearRegularExpression("^(a+)+$", "u").test(`${"a".repeat(5000)}!`)).toBe(false);
});

it("refuses what cannot be linear when it is made", () => {
  expect(() => linearRegularExpression("(a)\\1", "u")).toThrow(/invalid escape sequence|error parsing/i);
  expect(() => linearRegularExpression("(?=a)", "u")).toThrow(/error parsing/i);
});
