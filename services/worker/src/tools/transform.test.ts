import { expect, it } from "vitest";
import { createFakeContext } from "../../test/fake-context.ts";
import { transformTool } from "./transform.ts";

const run = (input: unknown): unknown => transformTool.handler(input, createFakeContext());

const ORDERS = [
  { id: "a", total: 30, customer: { name: "Ada" }, secret: 1 },
  { id: "b", total: 5, customer: { name: "Bob" }, secret: 2 },
  { id: "c", total: 100, customer: { name: "Cy" }, secret: 3 },
];

it("filters, maps, sorts and cuts a list", () => {
  expect(
    run({
      value: ORDERS,
      where: "item.total > 10",
      map: {
        key: "item.id",
        who: "item.customer.name",
        double: "item.total * 2",
        at: "index",
        fixed: 7,
        list: ["item.id"],
      },
      sort_by: "item.double",
      descending: true,
      limit: 1,
    }),
  ).toEqual([{ key: "c", who: "Cy", double: 200, at: 2, fixed: 7, list: ["c"] }]);
});

it("picks, leaves out and renames fields", () => {
  expect(run({ value: ORDERS, pick: ["id", "total"], rename: { total: "amount" }, limit: 1 })).toEqual([
    { id: "a", amount: 30 },
  ]);
  expect(run({ value: ORDERS[1], omit: ["secret", "customer"] })).toEqual({ id: "b", total: 5 });
  expect(run({ value: [1, "x"], pick: ["id"] })).toEqual([1, "x"]);
});

it("reshapes a single value", () => {
  expect(run({ value: { a: 1 }, map: "item.a + 1" })).toBe(2);
  expect(run({ value: 3 })).toBe(3);
});

it("sorts numbers before texts, and keeps the order of equals", () => {
  expect(run({ value: ["b", 2, null, "a", 10, true], sort_by: "item" })).toEqual([2, 10, "a", "b", null, true]);
});

it.each([
  [{ value: 1, where: "true", limit: 2 }, "input_invalid", "where and limit need a list"],
  [{ value: [1], where: "item >" }, "expression", "where"],
  [{ value: [{}], map: { x: "item.missing" } }, "expression", "map.x for item 0"],
  [{ value: [1], map: "unknown" }, "expression", "unknown"],
])("explains %j", (input, type, message) => {
  expect(() => run(input)).toThrow(message);
  expect(() => run(input)).toThrow(expect.objectContaining({ type, retryable: false }));
});
