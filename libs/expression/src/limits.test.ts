import { describe, expect, test } from "vitest";
import {
  ExpressionError,
  MAX_EXPRESSION_LENGTH,
  MAX_STRING_LENGTH,
  compileExpression,
  compileTemplate,
} from "./index.ts";
import type { Json, Scope } from "./index.ts";

const big = "x".repeat(MAX_STRING_LENGTH);
const many = Array.from({ length: 10_000 }, (_, index) => index);
function nested(depth: number): Json {
  let value: Json = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}
const data: Record<string, Json> = {
  big,
  many,
  more: [...many, 1],
  deep: nested(50_000),
  deep2: nested(50_000),
  small: [1, 2, 3],
};
const scope: Scope = { get: (name) => data[name] };

function kindOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ExpressionError) return error.kind;
    throw error;
  }
  return "none";
}

describe("what is too much is refused when it is compiled", () => {
  test.each([
    ["length", `"${"x".repeat(MAX_EXPRESSION_LENGTH)}"`],
    ["brackets", `${"(".repeat(1_000)}1${")".repeat(1_000)}`],
    ["lists", `${"[".repeat(2_000)}${"]".repeat(2_000)}`],
    ["unary operators", `${"!".repeat(4_000)}true`],
    ["conditionals", `${"true?1:".repeat(500)}1`],
    ["operators in a row", `1${"+1".repeat(2_000)}`],
    ["fields in a row", `a${".b".repeat(2_000)}`],
    ["`??` in a row", `a${"??a".repeat(1_000)}`],
    ["comprehensions", "many.map(a, many.map(b, many.map(c, 1)))"],
  ])("%s", (_name, source) => {
    expect(kindOf(() => compileExpression(source))).toBe("limit");
  });

  test("just below it works", () => {
    expect(compileExpression(`1${"+1".repeat(200)}`).evaluate(scope)).toBe(201);
    expect(compileExpression(`${"(".repeat(32)}1${")".repeat(32)}`).evaluate(scope)).toBe(1);
  });
});

describe("what is too much is refused when it is evaluated", () => {
  test.each([
    ["elements of a comprehension", "more.map(x, x)"],
    ["steps of nested comprehensions", "many.map(a, many.map(b, 1))"],
    ["steps of literals in a comprehension", `many.map(a, [${"a,".repeat(100)}])`],
    ["steps of functions on long texts", "many.map(a, upper(big))"],
    ["steps of comparisons of long texts", "many.filter(a, big == big + '')"],
    ["steps of comparisons of long lists", "many.all(a, many == many + [])"],
    ["steps of patterns", "many.all(a, big.matches('x'))"],
    ["joined text", "big + 'x'"],
    ["replaced text", "big.replace('x', 'yy')"],
    ["list as text", "[big, big].join('')"],
    ["JSON text", "json([big, big])"],
    ["text of the result", "[big, big, big, big, big]"],
    ["depth of compared values", "deep == deep2"],
    ["depth of JSON text", "json(deep)"],
    ["depth of the result", "[deep]"],
    ["depth of values for the library", "type(timestamp('2024-01-01T00:00:00Z')) == 'x' || '%s'.format([deep]) == ''"],
  ])("%s", (_name, source) => {
    expect(kindOf(() => compileExpression(source).evaluate(scope))).toBe("limit");
  });

  test("a limit is final: neither `??` nor `||` goes on after it", () => {
    expect(kindOf(() => compileExpression("many.map(a, many.map(b, 1)) ?? 1").evaluate(scope))).toBe("limit");
    expect(kindOf(() => compileExpression("size(many.map(a, many.map(b, 1))) > 0 || true").evaluate(scope))).toBe(
      "limit",
    );
  });

  test("patterns never backtrack", () => {
    const source = `"${"a".repeat(2_000)}b".matches("^(a+)+$")`;
    expect(compileExpression(source).evaluate(scope)).toBe(false);
  });

  test("templates", () => {
    expect(kindOf(() => compileTemplate("${big}${big}").evaluate(scope))).toBe("limit");
    expect(kindOf(() => compileTemplate("a ${deep}").evaluate(scope))).toBe("limit");
    expect(kindOf(() => compileTemplate(nested(1_000)))).toBe("limit");
  });
});
