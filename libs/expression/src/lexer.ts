import { celUint } from "@bufbuild/cel";
import { ExpressionError } from "./expression-error.ts";
import { readString } from "./string-literal.ts";
import { MAX_EXPRESSION_LENGTH } from "./limits.ts";
import { Opaque } from "./value.ts";
import type { Value } from "./value.ts";
import type { NodeIds } from "./types.ts";

export type Token =
  | { kind: "name"; text: string; nodeId?: string; offset: number; end: number }
  | { kind: "literal"; text: string; value: Value; offset: number; end: number }
  | { kind: "symbol"; text: string; offset: number; end: number }
  | { kind: "end"; text: "end of the expression"; offset: number; end: number };

/** Longest first, so that `??` is never read as two `?`. */
const SYMBOLS = ["??", "&&", "||", "==", "!=", "<=", ">=", ..."?:()[]{},.+-*/%!<>".split("")];
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const ID = /[A-Za-z_][A-Za-z0-9_-]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?[uU]?/y;
/** CEL's way to write a field that is no plain name: input.`my-field`. */
const QUOTED_FIELD = /`[^`\n]+`/y;
const STRING_START = /(?:[rR]?[bB]?|[bB][rR])("""|'''|"|')/y;
const BLANK = /(?:[\t\n\f\r ]|\/\/[^\n]*)+/y;
const CONSTANTS = new Map<string, Value>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** @throws ExpressionError for a character, number or text that is none. */
export function tokenize(source: string, nodeIds: NodeIds | undefined): Token[] {
  if (source.length > MAX_EXPRESSION_LENGTH) {
    throw new ExpressionError({
      kind: "limit",
      message: `the expression has ${source.length} characters; ${MAX_EXPRESSION_LENGTH} are allowed`,
      offset: 0,
      length: source.length,
      hint: "compute parts of it in `set` actions and use their names",
    });
  }
  const tokens: Token[] = [];
  let offset = match(BLANK, source, 0).length;
  while (offset < source.length) {
    const token = readToken(source, offset, tokens, nodeIds);
    tokens.push(token);
    offset = token.end + match(BLANK, source, token.end).length;
  }
  tokens.push({ kind: "end", text: "end of the expression", offset: source.length, end: source.length });
  return tokens;
}

function readToken(source: string, offset: number, before: Token[], nodeIds: NodeIds | undefined): Token {
  const string = matchGroups(STRING_START, source, offset);
  if (string !== undefined) {
    const { value, end } = readString(source, offset, string[0], string[1]!);
    return { kind: "literal", text: source.slice(offset, end), value, offset, end };
  }
  const name = match(NAME, source, offset);
  if (name !== "") return readName(source, offset, name, before, nodeIds);
  const quoted = before.at(-1)?.text === "." ? match(QUOTED_FIELD, source, offset) : "";
  if (quoted !== "") return { kind: "name", text: quoted.slice(1, -1), offset, end: offset + quoted.length };
  const number = match(NUMBER, source, offset);
  if (number !== "") return readNumber(source, offset, number);
  const symbol = SYMBOLS.find((text) => source.startsWith(text, offset));
  if (symbol !== undefined) return { kind: "symbol", text: symbol, offset, end: offset + symbol.length };
  const character = String.fromCodePoint(source.codePointAt(offset)!);
  throw new ExpressionError({
    kind: "syntax",
    message: `unexpected character ${JSON.stringify(character)}`,
    offset,
    length: character.length,
    hint: HINTS.get(character),
  });
}

const HINTS = new Map([
  ["=", "compare with `==`; an expression cannot assign"],
  ["&", "and is written `&&`"],
  ["|", "or is written `||`"],
  ["$", "inside `${...}` names stand without `$`"],
]);

function readName(source: string, offset: number, name: string, before: Token[], nodeIds: NodeIds | undefined): Token {
  const id = nodeIds !== undefined && mayBeNodeId(before) ? longestId(match(ID, source, offset), nodeIds) : undefined;
  if (id !== undefined) return { kind: "name", text: id, nodeId: id, offset, end: offset + id.length };
  const end = offset + name.length;
  const isField = before.at(-1)?.text === ".";
  const constant = isField ? undefined : CONSTANTS.get(name);
  if (constant !== undefined) return { kind: "literal", text: name, value: constant, offset, end };
  if (name === "in" && !isField) return { kind: "symbol", text: name, offset, end };
  return { kind: "name", text: name, offset, end };
}

/** A node's id can stand at the root of a path or right after `nodes.`; anywhere else `a-b` is a field less b. */
function mayBeNodeId(before: Token[]): boolean {
  if (before.at(-1)?.text !== ".") return true;
  const parent = before.at(-2);
  return parent?.kind === "name" && parent.text === "nodes" && before.at(-3)?.text !== ".";
}

/** The longest known id that `text` begins with, cut only where a dash is: `a-b-c` is `a-b` less c when only `a-b` is known. */
function longestId(text: string, nodeIds: NodeIds): string | undefined {
  let candidate = text;
  for (;;) {
    if (nodeIds.has(candidate)) return candidate;
    const dash = candidate.lastIndexOf("-");
    if (dash === -1) return undefined;
    candidate = candidate.slice(0, dash);
  }
}

function readNumber(source: string, offset: number, text: string): Token {
  const end = offset + text.length;
  const fail = (message: string, hint?: string): never => {
    throw new ExpressionError({ kind: "syntax", message, offset, length: text.length, hint });
  };
  if (/[A-Za-z0-9_]/.test(source.charAt(end)))
    fail(`a number is followed by "${source.charAt(end)}"`, "a name begins with a letter or _");
  const isUnsigned = /[uU]$/.test(text);
  const digits = isUnsigned ? text.slice(0, -1) : text;
  if (/^0[xX]/.test(digits) || /^[0-9]+$/.test(digits)) {
    const value = BigInt(digits);
    if (isUnsigned) {
      if (BigInt.asUintN(64, value) !== value) fail(`${text} does not fit in 64 bits`);
      return { kind: "literal", text, value: new Opaque(celUint(value)), offset, end };
    }
    // One more than the largest int is let through for the parser, which knows whether a minus stands before it.
    if (value > 2n ** 63n) fail(`${text} does not fit in 64 bits`, "write it as a double, e.g. 1e19");
    return { kind: "literal", text, value, offset, end };
  }
  if (isUnsigned) fail(`${text} is not a whole number`);
  return { kind: "literal", text, value: Number(digits), offset, end };
}

function match(pattern: RegExp, source: string, offset: number): string {
  return matchGroups(pattern, source, offset)?.[0] ?? "";
}

function matchGroups(pattern: RegExp, source: string, offset: number): RegExpExecArray | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(source) ?? undefined;
}
