import { expect, test } from "vitest";
import { collectAttribute, collectCondition } from "./attribute-condition.ts";

test.each([
  ["customer=acme", { case: "equals", value: { kind: { case: "stringValue", value: "acme" } } }],
  ["total=12.5", { case: "equals", value: { kind: { case: "numberValue", value: 12.5 } } }],
  ['zip="0815"', { case: "equals", value: { kind: { case: "stringValue", value: "0815" } } }],
  ["zip=0815", { case: "equals", value: { kind: { case: "stringValue", value: "0815" } } }],
  ["open=true", { case: "equals", value: { kind: { case: "boolValue", value: true } } }],
  ["total >= 100", { case: "range", value: { atLeast: { kind: { case: "numberValue", value: 100 } } } }],
  ["due<2030-01-01", { case: "range", value: { below: { kind: { case: "stringValue", value: "2030-01-01" } } } }],
])("a condition: %s", (text, condition) => {
  expect(collectCondition(text)[0]).toMatchObject({ condition });
});

test("a condition without an operator is refused", () => {
  expect(() => collectCondition("customer")).toThrow("use name=value");
});

test("attributes have the types that they look like", () => {
  const given = ["customer=acme", "total=12.5", "open=false", "tags=[a, b]", 'zip="1"', "none=[]"];
  const attributes = given.reduce<Record<string, unknown>>((all, one) => collectAttribute(one, all as never), {});
  expect(attributes).toEqual({ customer: "acme", total: 12.5, open: false, tags: ["a", "b"], zip: "1", none: [] });
  expect(() => collectAttribute("=x")).toThrow("use name=value");
});
