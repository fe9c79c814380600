import { compileExpression, type Scope } from "@heddle/expression";
import { describe, expect, it } from "vitest";
import { parseExpression } from "./parse.ts";
import type { Type } from "./static-type.ts";
import { type Names, translate, translateCondition } from "./translate.ts";

const VALUES = { n: 3, m: 4, text: "ab", yes: true, list: [1, 2], order: { total: 12, "my-field": 1 }, nothing: null };
const EVENT = { name: "paid", data: { amount: 5 }, type: "external", sendid: "s", invokeid: "" };
const TYPES: Record<string, Type> = { n: "number", m: "number", text: "text", yes: "boolean", list: "list" };

const names: Names = {
  variables: new Map(Object.keys(VALUES).map((name) => [name, TYPES[name] ?? "unknown"])),
  stateName: (id) => id.replace(".", "_"),
};
const scope: Scope = {
  get: (name) => {
    if (name === "event") return { ...EVENT, send_id: EVENT.sendid, invoke_id: EVENT.invokeid };
    return (VALUES as unknown as Record<string, never>)[name];
  },
  isIn: (state) => state === "open_wide",
};

/** What ECMAScript makes of the text. */
function evaluate(text: string): unknown {
  const given = { ...VALUES, _event: EVENT, In: (state: string) => state === "open.wide" };
  // oxlint-disable-next-line no-implied-eval -- the texts are those below
  return new Function(...Object.keys(given), `return (${text}\n)`)(...Object.values(given)) as unknown;
}

describe("an expression that can be converted", () => {
  it.each([
    "n + m * 2 - 1",
    "(n + m) * 2",
    "n - (m - 1)",
    "7 / 2",
    "n / 2",
    "-n + 2",
    "n % 2 === 1",
    "n == 3 && m != 3 || false",
    "!(n > 3) && !yes === false",
    "(n < m) === (m > n)",
    "n >= 3 ? 'many' : 'few'",
    "yes ? n > 1 ? 1 : 2 : 3",
    "'n is ' + n + '!'",
    "n + m + 'x'",
    "'x' + (n + m)",
    "text + 'c' === \"abc\"",
    "order.total - order['my-field']",
    "list[1]",
    "list.length + text.length",
    "[n, 'x', [true]]",
    "{ a: n, 'b c': { d: 2 } }",
    "nothing == null && nothing === null",
    "typeof order.missing === 'undefined'",
    "'undefined' !== typeof order.total",
    "order.missing ?? 'none'",
    "_event.name === 'paid' && _event.data.amount > 4",
    "_event.sendid",
    "In('open.wide') && !In('shut')",
    "text.toUpperCase() + text.substring(1)",
    "text.includes('b') && text.startsWith('a')",
    "String(n) + Number('4') + n.toString()",
    "0x10 + .5 + 1e2",
    String.raw`'a\'b\n\u00e9\x41'`,
    "n /* three */ + 1 // and one",
  ])("%s is the same afterwards", (text) => {
    const converted = translate(parseExpression(text), names);
    const value = compileExpression(converted).evaluate(scope);
    expect(value, converted).toEqual(evaluate(text));
  });

  it.each([
    ["n", "n != 0"],
    ["!n", "!(n != 0)"],
    ["text && yes", 'text != "" && yes'],
    ["list || n > 1", "list != null || n > 1"],
    ["order.total", "order.total"],
  ])("%s as a condition is %s", (text, converted) => {
    expect(translateCondition(parseExpression(text), names)).toBe(converted);
  });
});

describe("an expression that cannot be converted", () => {
  it.each([
    ["n = 4", 2, '"="'],
    ["function () {}", 0, "function"],
    ["x => x", 2, "=>"],
    ["n & 1", 2, "&"],
    ["/a+/.test(text)", 0, '"/"'],
    ["`${n}`", 0, "`"],
    ["n +", 3, "the end"],
    ["unknown + 1", 0, 'nothing is called "unknown"'],
    ["Math.floor(n)", 5, "floor() cannot be converted"],
    ["1 + list.reduce(n)", 9, "reduce() cannot be converted"],
    ["_event.origin", 7, "no origin"],
    ["_ioprocessors", 0, "no _ioprocessors"],
    ["In(text)", 0, "written out"],
    ["n || 5", 0, "neither true nor false"],
    ["typeof n === 'number'", 0, "typeof"],
    ["n.constructor()", 2, "constructor() cannot be converted"],
    ["n ** 2", 2, "**"],
    ["(".repeat(60), 40, "nested too deeply"],
  ])("%s is refused with its place", (text, at, message) => {
    const failing = (): string => translate(parseExpression(text), names);
    expect(failing).toThrow(expect.objectContaining({ message: expect.stringContaining(message) as string }));
    try {
      failing();
    } catch (error) {
      expect(error).toMatchObject({ at, hint: expect.stringMatching(/.{5}/) as string });
    }
  });
});
