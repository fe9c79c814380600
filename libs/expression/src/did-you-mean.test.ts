import { expect, test } from "vitest";
import { didYouMean, findClosest } from "./index.ts";

test.each<[string, string[], string | undefined]>([
  ["totl", ["id", "total"], "total"],
  ["dependecies", ["dependencies", "description"], "dependencies"],
  ["Type", ["type"], "type"],
  ["ab", ["ba"], "ba"],
  ["x", ["y"], undefined],
  ["X", ["x"], "x"],
  ["xs", ["x"], "x"],
  ["fetch", ["aggregate"], undefined],
  ["same", ["same"], undefined],
  ["", ["a"], undefined],
  ["x".repeat(100), ["x".repeat(99)], undefined],
])("%s among %j", (name, known, expected) => {
  expect(findClosest(name, known)).toBe(expected);
});

test("the hint is a question", () => {
  expect(didYouMean("inptu", ["input"])).toBe('did you mean "input"?');
});
