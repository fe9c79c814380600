import { expect, it } from "vitest";
import { findOutline } from "./outline.ts";

const text = (nodes: { id: string; activators?: number[] }[]): string =>
  JSON.stringify({ format: "heddle.plan/1", nodes });

it("puts what a controller activates below it, in document order", () => {
  const outline = findOutline(
    text([
      { id: "premium", activators: [2] },
      { id: "first", activators: [] },
      { id: "decision" },
      { id: "basic", activators: [2] },
      { id: "last" },
    ]),
  );
  expect(outline).toEqual([
    { id: "first", depth: 0 },
    { id: "decision", depth: 0 },
    { id: "premium", depth: 1 },
    { id: "basic", depth: 1 },
    { id: "last", depth: 0 },
  ]);
});

it("shows every node, whatever the plan says, and each once", () => {
  const outline = findOutline(
    text([
      { id: "a", activators: [1] },
      { id: "b", activators: [0] },
      { id: "c", activators: [9] },
    ]),
  );
  expect(outline?.map(({ id }) => id).toSorted()).toEqual(["a", "b", "c"]);
});

it.each(["", "null", "{}", "[1]", '{"nodes":5}'])("is not found in %j", (planJson) => {
  expect(findOutline(planJson)).toBeUndefined();
});
