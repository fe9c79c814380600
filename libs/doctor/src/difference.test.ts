import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findDifference } from "./difference.ts";

describe("findDifference", () => {
  it.each<[string, unknown, unknown]>([
    ["the order of fields", { a: 1, b: 2 }, { b: 2, a: 1 }],
    ["a field that is undefined", { a: 1, b: undefined }, { a: 1 }],
    ["the sign of zero", 0, -0],
  ])("makes nothing of %s", (_name, left, right) => {
    expect(findDifference(left, right)).toBeUndefined();
  });

  it.each<[unknown, unknown, string]>([
    [{ a: { b: [1, 2] } }, { a: { b: [1, 3] } }, "$.a.b[1]: 2, not 3"],
    [[1], [1, 2], "$[1]: nothing, not 2"],
    [{ a: 1 }, {}, "$.a: 1, not nothing"],
    [null, {}, "$: null, not {}"],
    [[], {}, "$: [], not {}"],
    ["1", 1, '$: "1", not 1'],
    [{ toString: [] }, {}, "$.toString: [], not nothing"],
  ])("says where %j and %j differ", (left, right, text) => {
    expect(findDifference(left, right)).toBe(text);
  });

  it("finds nothing exactly when the texts say the same", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        expect(findDifference(left, structuredClone(left))).toBeUndefined();
        expect(findDifference(left, JSON.parse(JSON.stringify(left)))).toBeUndefined();
        const same = canonical(left) === canonical(right);
        expect(findDifference(left, right) === undefined).toBe(same);
      }),
    );
  });
});

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
