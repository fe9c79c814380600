import { callLibrary, libraryFunctions } from "./cel-library.ts";
import { ExpressionError } from "./expression-error.ts";
import { errorAt, limitLength, limitText, spend, textCost } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { contains, limitInt } from "./operators.ts";
import { parseJson, writeJson } from "./result.ts";
import type { Span } from "./syntax.ts";
import { Opaque, describeType, isObject, typeName } from "./value.ts";
import type { Value } from "./value.ts";

/** Called with the target of a method first: `x.lower()` and `lower(x)` are the same. */
export type Apply = (frame: Frame, args: Value[], at: Span) => Value;
interface OwnFunction {
  arity: readonly [min: number, max: number];
  apply: Apply;
}

/** What JSON needs and CEL lacks, and what is called so often that it should not go through the library. */
const OWN_FUNCTIONS: ReadonlyMap<string, OwnFunction> = new Map<string, OwnFunction>([
  ["size", { arity: [1, 1], apply: (frame, [value], at) => BigInt(sizeOf(frame, value!, at)) }],
  ["contains", { arity: [2, 2], apply: containsValue }],
  [
    "startsWith",
    {
      arity: [2, 2],
      apply: (_f, args, at) => text("startsWith", args, 0, at).startsWith(text("startsWith", args, 1, at)),
    },
  ],
  [
    "endsWith",
    { arity: [2, 2], apply: (_f, args, at) => text("endsWith", args, 0, at).endsWith(text("endsWith", args, 1, at)) },
  ],
  ["lower", { arity: [1, 1], apply: (_f, args, at) => limitText(text("lower", args, 0, at).toLowerCase(), at) }],
  ["upper", { arity: [1, 1], apply: (_f, args, at) => limitText(text("upper", args, 0, at).toUpperCase(), at) }],
  ["trim", { arity: [1, 1], apply: (_f, args, at) => text("trim", args, 0, at).trim() }],
  ["split", { arity: [2, 3], apply: split }],
  ["join", { arity: [1, 2], apply: join }],
  ["replace", { arity: [3, 4], apply: replace }],
  ["keys", { arity: [1, 1], apply: (frame, args, at) => Object.keys(object("keys", frame, args, at)) }],
  ["values", { arity: [1, 1], apply: (frame, args, at) => Object.values(object("values", frame, args, at)) }],
  [
    "json",
    {
      arity: [1, 1],
      apply: (frame, [value], at) =>
        limitText(
          writeJson(value!, at, (steps) => spend(frame, steps, at)),
          at,
        ),
    },
  ],
  ["parseJson", { arity: [1, 1], apply: (_f, args, at) => parseJson(text("parseJson", args, 0, at), at) }],
  ["string", { arity: [1, 1], apply: (frame, [value], at) => toText(frame, value!, at) }],
  ["int", { arity: [1, 1], apply: (frame, [value], at) => toInt(frame, value!, at) }],
  ["type", { arity: [1, 1], apply: (_f, [value]) => typeName(value!) }],
  ["double", { arity: [1, 1], apply: (frame, [value], at) => toDouble(frame, value!, at) }],
  ["In", { arity: [1, 1], apply: (frame, args, at) => isIn(frame, text("In", args, 0, at), at) }],
]);

function isIn({ scope }: Frame, state: string, at: Span): boolean {
  if (scope.isIn !== undefined) return scope.isIn(state);
  throw errorAt(at, "value", "In() asks for a state of a machine, and this is not one", "use it in a state machine");
}

const DOUBLE = /^\s*(?:[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Infinity)|NaN)\s*$/;

export interface FunctionInfo {
  /** Numbers of arguments that it takes, the target of a method counted. */
  accepts(count: number, isMethod: boolean): boolean;
  apply: Apply;
}

export function findFunction(name: string, count: number, isMethod: boolean): FunctionInfo | undefined {
  const own = OWN_FUNCTIONS.get(name);
  if (own !== undefined) {
    return { accepts: (args) => args >= own.arity[0] && args <= own.arity[1], apply: own.apply };
  }
  const arities = libraryFunctions.get(name);
  if (arities === undefined) return undefined;
  const names = Array.from({ length: count }, (_, index) => `a${index}`);
  const form = isMethod ? `a0.${name}(${names.slice(1).join(", ")})` : `${name}(${names.join(", ")})`;
  return {
    accepts: (args, method) => arities.has(method ? args - 1 : args),
    apply: (frame, args, at) => applyLibrary(frame, name, form, args, at),
  };
}

/** For hints. */
export function functionNames(): string[] {
  return [...OWN_FUNCTIONS.keys(), ...libraryFunctions.keys(), "has", "orDefault"];
}

function applyLibrary(frame: Frame, name: string, form: string, args: Value[], at: Span): Value {
  spend(frame, LIBRARY_COST, at);
  try {
    return callLibrary(form, args);
  } catch (cause) {
    if (cause instanceof ExpressionError) throw cause;
    const message = cause instanceof Error ? cause.message : "failed";
    if (cause instanceof RangeError) throw Object.assign(errorAt(at, "limit", `${name}(): ${message}`), { cause });
    const isMismatch = /no matching overload|unbound/.test(message);
    const found = args.map(describeType).join(" and ");
    throw Object.assign(
      errorAt(
        at,
        isMismatch ? "type" : "value",
        isMismatch ? `${name}() does not go with ${found}` : `${name}(): ${message}`,
      ),
      { cause },
    );
  }
}

/** A call of the library takes some microseconds, as long as ten steps of anything else. */
const LIBRARY_COST = 10;

/** What it takes to look at a value once. */
export function costOf(value: Value): number {
  if (typeof value === "string") return textCost(value);
  if (Array.isArray(value)) return 1 + value.length;
  return isObject(value) ? 1 + Object.keys(value).length : 1;
}

function text(name: string, args: Value[], index: number, at: Span): string {
  const value = args[index]!;
  if (typeof value === "string") return value;
  throw errorAt(
    at,
    "type",
    `${name}() needs a string, not ${describeType(value)}`,
    "string(x) makes one of a number or boolean",
  );
}

function object(name: string, frame: Frame, args: Value[], at: Span): { [key: string]: Value } {
  const value = args[0]!;
  if (!isObject(value)) throw errorAt(at, "type", `${name}() needs an object, not ${describeType(value)}`);
  return value;
}

function sizeOf(frame: Frame, value: Value, at: Span): number {
  if (Array.isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  if (value instanceof Opaque) return Number(applyLibrary(frame, "size", "size(a0)", [value], at));
  if (typeof value !== "string")
    throw errorAt(at, "type", `size() needs a string, list or object, not ${describeType(value)}`);
  // CEL counts characters, not UTF-16 code units.
  let size = 0;
  for (const _character of value) size += 1;
  return size;
}

function containsValue(frame: Frame, args: Value[], at: Span): boolean {
  const [container, value] = args;
  if (typeof container !== "string") return contains(frame, container!, value!, at);
  return container.includes(text("contains", args, 1, at));
}

function split(frame: Frame, args: Value[], at: Span): Value {
  const parts = text("split", args, 0, at).split(text("split", args, 1, at));
  spend(frame, parts.length, at);
  if (args.length < 3) return parts;
  const limit = count("split", args[2]!, at);
  if (limit < 0 || parts.length <= limit) return parts;
  // The rest stays together in the last part, as in CEL; nothing of the text is lost.
  return limit === 0 ? [] : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(args[1] as string)];
}

function join(frame: Frame, args: Value[], at: Span): Value {
  const list = args[0]!;
  if (!Array.isArray(list)) throw errorAt(at, "type", `join() needs a list, not ${describeType(list)}`);
  const separator = args.length < 2 ? "" : text("join", args, 1, at);
  const parts = list.map((element) => toText(frame, element, at));
  limitLength(
    parts.reduce((sum, part) => sum + part.length + separator.length, 0),
    at,
  );
  return parts.join(separator);
}

function replace(_frame: Frame, args: Value[], at: Span): Value {
  const source = text("replace", args, 0, at);
  const search = text("replace", args, 1, at);
  const replacement = text("replace", args, 2, at);
  const limit = args.length < 4 ? -1 : count("replace", args[3]!, at);
  if (limit === 0) return source;
  // An empty text stands before, between and after all characters.
  const parts = search === "" ? ["", ...Array.from(source), ""] : source.split(search);
  if (limit > 0 && parts.length > limit + 1) parts.splice(limit, parts.length, parts.slice(limit).join(search));
  const length = parts.reduce((sum, part) => sum + part.length, (parts.length - 1) * replacement.length);
  limitLength(length, at);
  return parts.join(replacement);
}

function count(name: string, value: Value, at: Span): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number)) return number;
  throw errorAt(at, "type", `${name}() needs a whole number as its limit, not ${describeType(value)}`);
}

function toText(frame: Frame, value: Value, at: Span): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Opaque) return applyLibrary(frame, "string", "string(a0)", [value], at) as string;
  throw errorAt(at, "type", `string() does not go with ${describeType(value)}`, "json(x) writes any value as text");
}

function toInt(frame: Frame, value: Value, at: Span): Value {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isFinite(value)) return limitInt(BigInt(Math.trunc(value)), at);
  if (typeof value === "string" && /^\s*[+-]?\d{1,19}\s*$/.test(value))
    return limitInt(BigInt(value.trim().replace(/^\+/, "")), at);
  if (value instanceof Opaque) return applyLibrary(frame, "int", "int(a0)", [value], at);
  throw conversion("int", value, at);
}

function toDouble(frame: Frame, value: Value, at: Span): Value {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (typeof value === "string" && DOUBLE.test(value)) return Number(value);
  if (value instanceof Opaque) return applyLibrary(frame, "double", "double(a0)", [value], at);
  throw conversion("double", value, at);
}

function conversion(name: string, value: Value, at: Span): ExpressionError {
  const shown = typeof value === "string" ? `the text ${JSON.stringify(value.slice(0, 40))}` : describeType(value);
  return errorAt(at, "value", `${name}() cannot make a number of ${shown}`);
}
