import { describe, expect, test } from "vitest";
import { ExpressionError, compileExpression } from "./index.ts";
import type { Json, Scope } from "./index.ts";

const DATA: Record<string, Json> = {
  input: { n: 3, half: 0.5, s: "hi", flag: true, items: [1, 2, 3], a: { b: null }, "dash-ed": 7, empty: {}, list: [] },
  "my-node": { output: { url: "u", total: 12 }, status: "completed" },
  my: { output: 1 },
  node: { output: 2 },
  order: { id: 1, total: 2 },
  vars: { score: 9 },
  score: 9,
};
const NODE_IDS = new Set(["my-node", "my", "node", "order"]);

function scopeOf(data: Record<string, Json>): Scope {
  return { get: (name) => (Object.hasOwn(data, name) ? data[name] : undefined), names: () => Object.keys(data) };
}

function evaluate(source: string): Json {
  return compileExpression(source, { nodeIds: NODE_IDS }).evaluate(scopeOf(DATA));
}

function failure(source: string): ExpressionError {
  try {
    evaluate(source);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error(`${source} did not fail`);
}

describe("values", () => {
  test.each<[string, Json]>([
    ["input.n", 3],
    ["input.items[1]", 2],
    ["input.items[input.n - 1]", 3],
    ['input["dash-ed"]', 7],
    ["input.`dash-ed`", 7],
    ["score", 9],
    ["input.n + 1", 4],
    ["1 + input.half", 1.5],
    ["7 / 2", 3],
    ["input.n / 2", 1.5],
    ["input.n % 2 == 1", true],
    ["-input.n", -3],
    ["input.n == 3 && 3 == input.n && input.n == 3.0", true],
    ["input.n > 2 ? 'big' : 'small'", "big"],
    ["'a' + string(input.n)", "a3"],
    ["2 in input.items", true],
    ["'s' in input", true],
    ["[1, 2] + input.items", [1, 2, 1, 2, 3]],
    ["{'a': input.n, 'b': [1]}", { a: 3, b: [1] }],
    ["input.items == [1, 2, 3]", true],
    ["input.items.map(i, i * 2)", [2, 4, 6]],
    ["input.items.map(i, i > 1, i * 2)", [4, 6]],
    ["input.items.filter(i, i > 1)", [2, 3]],
    ["input.items.all(i, i > 0) && input.items.exists(i, i == 2) && input.items.exists_one(i, i == 3)", true],
    ["input.items.map(i, input.items.map(k, i * k))[2][2]", 9],
    ["{'b': 1, 'a': 2}.map(k, k)", ["b", "a"]],
    ["timestamp('2024-01-02T03:04:05Z').getFullYear()", 2024],
    ["timestamp('2024-01-01T00:00:00Z') + duration('90m')", "2024-01-01T01:30:00Z"],
    ["duration('1h') > duration('59m')", true],
    ["'a-42'.matches('^[a-z]-[0-9]+$')", true],
    ["b'abc'", "YWJj"],
    ["1u + 2u", 3],
    ["type(input.n) == 'double' && type(1) == 'int'", true],
  ])("%s", (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });
});

describe("functions on text", () => {
  test.each<[string, Json]>([
    ["size('héllo🐱')", 6],
    ["input.items.size()", 3],
    ["'Heddle'.contains('dd') && 'Heddle'.startsWith('He') && 'Heddle'.endsWith('le')", true],
    ["input.items.contains(2)", true],
    ["' Ab '.trim().lower() + 'x'.upper()", "abX"],
    ["'a,b,c'.split(',')", ["a", "b", "c"]],
    ["'a,b,c'.split(',', 2)", ["a", "b,c"]],
    ["input.items.join('-')", "1-2-3"],
    ["'aXbX'.replace('X', '.')", "a.b."],
    ["'aXbX'.replace('X', '.', 1)", "a.bX"],
    ["'ab'.replace('', '-')", "-a-b-"],
    ["'abc'.substring(1)", "bc"],
    ["json(input.a)", '{"b":null}'],
    ["parseJson('[1, {\"a\": 2}]')[1].a", 2],
    ["int('42') + 1", 43],
    ["int(3.9)", 3],
    ["double('1.5')", 1.5],
    ["keys(input.a)", ["b"]],
    ["values({'a': 1})", [1]],
  ])("%s", (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });
});

describe("what may be missing", () => {
  test.each<[string, Json]>([
    ["has(input.n)", true],
    ["has(input.zz)", false],
    ["has(input.zz.deeper.still)", false],
    ["has(input.a.b)", true],
    ["has(input.a.b.c)", false],
    ["has(input.n.x)", false],
    ["has(nobody)", false],
    ["has(score)", true],
    ["has(input.items[5])", false],
    ["input.zz ?? 5", 5],
    ["input.a.b ?? 'null has a default too'", "null has a default too"],
    ["nobody ?? input.zz ?? score", 9],
    ["orDefault(input.zz.y, 'd')", "d"],
    ["orDefault(input.items[input.n], 0)", 0],
    ["(input.zz + 1) ?? 'also inside of a sum'", "also inside of a sum"],
    ["input.flag || input.zz", true],
    ["input.zz || input.flag", true],
    ["!input.flag && input.zz", false],
    ["false || input.zz ?? true ? 1 : 2", 1],
  ])("%s", (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });

  test("`??` forgives what is missing and nothing else", () => {
    expect(failure("('a' * 2) ?? 1").kind).toBe("type");
    expect(failure("1 / 0 ?? 1").kind).toBe("value");
  });
});

describe("ids of nodes", () => {
  test.each<[string, Json]>([
    ["my-node.output.url", "u"],
    ["nodes['my-node'].output.url", "u"],
    ["nodes.my-node.output.url", "u"],
    ["nodes.order.total", 2],
    ["'my-node.output'", "my-node.output"],
    ["my.output - node.output", -1],
    ["my-node.output.total-order.total", 10],
    ["[1].map(node, node + 1)", [2]],
  ])("%s", (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });

  test("the longest id that is known wins, and the rest is subtracted", () => {
    const data = { "a-b": 10, c: 3, a: 100, "a-b-c": 1 };
    const run = (ids: string[]): Json => compileExpression("a-b-c", { nodeIds: new Set(ids) }).evaluate(scopeOf(data));
    expect(run(["a-b", "c", "a"])).toBe(7);
    expect(run(["a-b", "c", "a", "a-b-c"])).toBe(1);
  });

  test("`nodes` needs a constant id", () => {
    expect(failure("nodes[input.s].output")).toMatchObject({ kind: "syntax", offset: 0, length: 5 });
  });
});

describe("references", () => {
  test("say what is read, how deep, and whether its absence is coped with", () => {
    const source =
      "my-node.output.items[0].url + input.a[input.k].x + (vars.x ?? nodes['a b'].output) + [1].map(i, i + y)[0]";
    const { references } = compileExpression(source, { nodeIds: NODE_IDS });
    expect(references).toEqual([
      {
        name: "my-node",
        path: ["output", "items", "0", "url"],
        offset: 0,
        length: 7,
        nodeId: "my-node",
        optional: false,
      },
      { name: "input", path: ["a"], offset: 30, length: 5, optional: false },
      { name: "input", path: ["k"], offset: 38, length: 5, optional: false },
      { name: "vars", path: ["x"], offset: 52, length: 4, optional: true },
      { name: "a b", path: ["output"], offset: 62, length: 12, nodeId: "a b", optional: false },
      { name: "y", path: [], offset: 100, length: 1, optional: false },
    ]);
  });
});

describe("errors", () => {
  test.each<[string, string, number, number]>([
    ["order.totl", '"order" has no field "totl"; it has: id, total', 6, 4],
    ["input.a.b.c", '"input.a.b" is null, so it has no field "c"', 10, 1],
    ["input.s.x", '"input.s" is a string, so it has no field "x"', 8, 1],
    ["input.items[9]", '"input.items" has no element 9; it has 3, counted from 0', 12, 1],
    ["input.items.first", '"input.items" is a list, so it has no field "first"', 12, 5],
    ["input.empty.x", '"input.empty" has no field "x"; it is empty', 12, 1],
    ["1 + scor", 'nothing is called "scor"; there is: input, my-node, my, node, order, vars, score', 4, 4],
    ["1 + 'a'", '"+" does not go with a number and a string', 0, 7],
    ["1 / 0", "division by zero", 0, 5],
    ["input.n / 0", "the result is Infinity, which JSON cannot hold", 0, 11],
    ["input.n ? 1 : 2", '"?:" needs true or false, not a number', 0, 7],
    ["size(1)", "size() needs a string, list or object, not a number", 0, 7],
    ["'x'.getFullYear()", "getFullYear() does not go with a string", 0, 17],
    ["input.n.map(x, x)", "map() goes through a list or an object, not a number", 0, 7],
    ["parseJson('{')", expect.stringContaining("parseJson(): the text is not JSON"), 0, 14],
    ["9223372036854775807 + 1", "the whole number does not fit in 64 bits", 0, 23],
  ])("%s", (source, message, offset, length) => {
    expect(failure(source)).toMatchObject({ message, offset, length });
  });

  test.each<[string, string, number]>([
    ["", "the expression is empty", 0],
    ["1 +", "the expression ends where a value is expected", 3],
    ["(1", "the expression ends where `)` is expected", 2],
    ["input..x", '"." stands where the name of a field is expected', 6],
    ["a b", '"b" stands where an operator or the end of the expression is expected', 2],
    ["a = b", 'unexpected character "="', 2],
    ["a & b", 'unexpected character "&"', 2],
    ["${a}", 'unexpected character "$"', 0],
    ["'abc", "the text that begins here has no end", 0],
    ["'a\\qb'", "\\q is not an escape", 2],
    ["1abc", 'a number is followed by "a"', 0],
    ["sizee(a)", 'there is no function "sizee"', 0],
    ["size(a, b)", "size() does not take 2 arguments", 0],
    ["a.map(1, 2)", '"1" stands where the name of a variable is expected', 6],
    ["has(1 + 2)", "has() takes one field", 0],
    ["{a: 1", "the expression ends where `,` or `}` is expected", 5],
    ["x ? 1", "the expression ends where `:` and the value for false is expected", 5],
    ["99999999999999999999", "99999999999999999999 does not fit in 64 bits", 0],
  ])("syntax: %s", (source, message, offset) => {
    expect(failure(source)).toMatchObject({ kind: "syntax", message, offset });
  });

  test("hints say what to do", () => {
    expect(failure("order.totl").hint).toBe('did you mean "total"?');
    expect(failure("scroe").hint).toBe('did you mean "score"?');
    expect(failure("a = b").hint).toContain("==");
    expect(failure("sizee(a)").hint).toBe('did you mean "size"?');
    expect(failure("1 + 'a'").hint).toContain("string(x)");
  });
});

describe("prototypes", () => {
  test.each([
    "input.constructor",
    "input.__proto__",
    "input.toString",
    "input['hasOwnProperty']",
    "'a'.length",
    "input.items.length",
    "constructor",
    "input.items['map']",
  ])("%s does not exist", (source) => {
    expect(failure(source).kind).toBe("missing");
    expect(evaluate(`has(${source.startsWith("'a'") ? "input.s.length" : source})`)).toBe(false);
  });

  test("a field that JSON calls __proto__ is a field like any other", () => {
    const scope = scopeOf({ input: JSON.parse('{"__proto__": {"x": 1}}') as Json });
    expect(compileExpression("input.__proto__.x").evaluate(scope)).toBe(1);
    const copy = compileExpression("{'__proto__': {'polluted': true}, 'a': 1.0}").evaluate(scope) as object;
    expect(Object.keys(copy)).toEqual(["__proto__", "a"]);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
