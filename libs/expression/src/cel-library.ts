import { celEnv, isCelError, isCelList, isCelMap, parse, plan } from "@bufbuild/cel";
import type { CelInput, CelResult } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { RE2JS } from "@bufbuild/re2";
import { MAX_PATTERN_LENGTH, MAX_VALUE_DEPTH } from "./limits.ts";
import { Opaque, isObject, keyText } from "./value.ts";
import type { Value } from "./value.ts";

/**
 * The standard functions of CEL and its strings extension, from the library that passes CEL's conformance tests.
 * Everything that is about timestamps, durations, bytes, uints, types and regular expressions (RE2) is answered here.
 */
const environment = celEnv({ funcs: [...strings], re2: { compile: compilePattern } });

/** Patterns are constants almost always; compiling one takes a hundred times as long as matching. */
const patterns = new Map<string, RE2JS>();
const MAX_PATTERNS = 256;

function compilePattern(source: string): RE2JS {
  let pattern = patterns.get(source);
  if (pattern === undefined) {
    if (source.length > MAX_PATTERN_LENGTH) {
      throw new Error(`the pattern has ${source.length} characters; ${MAX_PATTERN_LENGTH} are allowed`);
    }
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    pattern = RE2JS.compile(source);
    patterns.set(source, pattern);
  }
  return pattern;
}

type CelCall = (bindings: Record<string, CelInput>) => CelResult;
/** One plan per form of call, e.g. `a0.getHours()`; bounded by the number of functions times their forms. */
const calls = new Map<string, CelCall>();

/** Functions and methods with plain names, e.g. `matches`, with the numbers of arguments that they take, their target not counted. */
export const libraryFunctions: ReadonlyMap<string, ReadonlySet<number>> = listFunctions();

function listFunctions(): Map<string, Set<number>> {
  const functions = new Map<string, Set<number>>();
  for (const callable of environment.funcs) {
    if (!/^[A-Za-z]\w*$/.test(callable.name)) continue;
    const arities = functions.get(callable.name) ?? new Set();
    functions.set(callable.name, arities.add(callable.arguments.length));
  }
  return functions;
}

/** `form` is CEL over the names a0, a1, ...: never text of an author. @throws Error with the library's message, RangeError for values that are too deep. */
export function callLibrary(form: string, args: Value[]): Value {
  let call = calls.get(form);
  if (call === undefined) {
    call = plan(environment, parse(form));
    calls.set(form, call);
  }
  const bindings: Record<string, CelInput> = {};
  args.forEach((arg, index) => {
    bindings[`a${index}`] = toCel(arg);
  });
  const result = call(bindings);
  if (isCelError(result)) throw new Error(result.message, { cause: result });
  return fromCel(result);
}

function toCel(value: Value, depth = 0): CelInput {
  if (depth > MAX_VALUE_DEPTH) throw new RangeError(`the value is nested more than ${MAX_VALUE_DEPTH} deep`);
  if (value instanceof Opaque) return value.value as CelInput;
  if (Array.isArray(value)) return value.map((element) => toCel(element, depth + 1));
  // A Map, because an object would lose a field that is called `__proto__`.
  if (isObject(value)) return new Map(Object.entries(value).map(([key, field]) => [key, toCel(field, depth + 1)]));
  return value;
}

function fromCel(value: unknown): Value {
  if (isCelList(value)) return Array.from(value, fromCel);
  if (isCelMap(value))
    return Object.fromEntries(Array.from(value, ([key, field]) => [keyText(key as Value), fromCel(field)]));
  if (typeof value === "object" && value !== null) return new Opaque(value);
  return value as Value;
}
