import { describe, expect, test } from "vitest";
import { ExpressionError, compileTemplate } from "./index.ts";
import type { Json, Scope } from "./index.ts";

const data: Record<string, Json> = {
  input: { n: 3, s: "hi", none: null, list: [1, { a: true }], ok: true },
  "my-node": { output: 1 },
};
const scope: Scope = { get: (name) => data[name] };
const options = { nodeIds: new Set(["my-node"]) };
const evaluate = (value: Json): Json => compileTemplate(value, options).evaluate(scope);

describe("texts", () => {
  test.each<[string, Json]>([
    ["plain", "plain"],
    ["", ""],
    ["${input.n}", 3],
    ["${input.list}", [1, { a: true }]],
    ["${input.none}", null],
    ["${ my-node.output }", 1],
    ["n=${input.n}", "n=3"],
    ["${input.s}${input.s}", "hihi"],
    [" ${input.n}", " 3"],
    ["<${input.none}|${input.ok}|${input.list}>", '<|true|[1,{"a":true}]>'],
    ["$${input.n}", "${input.n}"],
    ["a $${b} ${input.s}", "a ${b} hi"],
    ["$ {x} $x }", "$ {x} $x }"],
    ["${{'a': input.n}}", { a: 3 }],
    ["${'}'}x", "}x"],
    ['${"{" + input.s + "}"}', "{hi}"],
    ["${r'\\'}", "unclosed"],
  ])("%s", (text, expected) => {
    if (expected === "unclosed") expect(() => evaluate(text)).toThrow(/no closing/);
    else expect(evaluate(text)).toEqual(expected);
  });
});

describe("structures", () => {
  test("expressions are found at any depth, names of fields are left alone", () => {
    const template = compileTemplate({ a: ["${input.n}", { "${b}": "x${input.s}" }], c: 1, d: null }, options);
    expect(template.isConstant).toBe(false);
    expect(template.evaluate(scope)).toEqual({ a: [3, { "${b}": "xhi" }], c: 1, d: null });
    expect(template.references.map(({ name, path }) => [name, ...path])).toEqual([
      ["input", "n"],
      ["input", "s"],
    ]);
  });

  test("without expressions it is constant, and `$${` is replaced once", () => {
    const template = compileTemplate({ a: ["$${x}"], b: 2 });
    expect(template.isConstant).toBe(true);
    expect(template.evaluate(scope)).toEqual({ a: ["${x}"], b: 2 });
  });

  test("a field called __proto__ stays a field", () => {
    const value = JSON.parse('{"__proto__": "${input.n}", "a": "${input.s}"}') as Json;
    const result = evaluate(value) as object;
    expect(Object.entries(result)).toEqual([
      ["__proto__", 3],
      ["a", "hi"],
    ]);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });

  test("evaluations do not share what they build", () => {
    const template = compileTemplate({ a: "${input.n}" }, options);
    const first = template.evaluate(scope) as { a: Json };
    first.a = "changed";
    expect(template.evaluate(scope)).toEqual({ a: 3 });
  });
});

describe("errors", () => {
  test.each<[string, number, number, RegExp]>([
    ["ab ${input.n", 3, 9, /no closing/],
    ["ab ${}", 5, 1, /empty/],
    ["ab ${1 +} c", 8, 1, /ends where a value/],
    ["${input.n} and ${input.m}", 23, 1, /has no field "m"/],
    ["${input.n} and ${input.s +}", 26, 1, /ends where/],
  ])("%s", (text, offset, length, message) => {
    let error: unknown;
    try {
      evaluate(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ExpressionError);
    expect(error).toMatchObject({ offset, length, message: expect.stringMatching(message) as string });
  });

  test("references count from the start of the text", () => {
    expect(compileTemplate("ab ${1 + my-node.output}", options).references).toEqual([
      { name: "my-node", path: ["output"], offset: 9, length: 7, nodeId: "my-node", optional: false },
    ]);
  });
});
