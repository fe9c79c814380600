import { callLibrary } from "./cel-library.ts";
import { errorAt } from "./frame.ts";
import type { Json } from "./json.ts";
import { MAX_RESULT_VALUES, MAX_STRING_LENGTH, MAX_VALUE_DEPTH } from "./limits.ts";
import type { Span } from "./syntax.ts";
import { Opaque, isObject } from "./value.ts";
import type { Value } from "./value.ts";

/** What the walk over one result has seen; the same list named a thousand times is counted a thousand times. */
interface Tally {
  values: number;
  characters: number;
}

/** Brings a value back to JSON. Parts that are JSON already are shared, not copied. @throws ExpressionError for what JSON cannot say. */
export function toJson(value: Value, at: Span): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  return convert(value, at, 0, { values: 0, characters: 0 });
}

function convert(value: Value, at: Span, depth: number, tally: Tally): Json {
  tally.values += 1;
  if (tally.values > MAX_RESULT_VALUES)
    throw errorAt(at, "limit", `the result has more than ${MAX_RESULT_VALUES} values`);
  if (depth > MAX_VALUE_DEPTH) throw errorAt(at, "limit", `the result is nested more than ${MAX_VALUE_DEPTH} deep`);
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      tally.characters += value.length;
      if (tally.characters > 4 * MAX_STRING_LENGTH)
        throw errorAt(at, "limit", "the texts of the result are too long together");
      return value;
    case "bigint":
      return Number(value);
    case "number":
      if (Number.isFinite(value)) return value;
      throw errorAt(at, "value", `the result is ${value}, which JSON cannot hold`, "is there a division by zero?");
    default:
      if (value === null) return null;
      if (value instanceof Opaque) return sealed(value, at);
      return Array.isArray(value) ? convertList(value, at, depth, tally) : convertObject(value, at, depth, tally);
  }
}

function convertList(list: Value[], at: Span, depth: number, tally: Tally): Json {
  let copy: Json[] | undefined;
  for (const [index, element] of list.entries()) {
    const converted = convert(element, at, depth + 1, tally);
    if (copy === undefined && converted !== element) copy = list.slice(0, index) as Json[];
    copy?.push(converted);
  }
  return copy ?? (list as Json[]);
}

function convertObject(object: { [key: string]: Value }, at: Span, depth: number, tally: Tally): Json {
  let changed: [string, Json][] | undefined;
  for (const [key, field] of Object.entries(object)) {
    const converted = convert(field, at, depth + 1, tally);
    if (converted !== field) (changed ??= []).push([key, converted]);
  }
  if (changed === undefined) return object as { [key: string]: Json };
  return Object.fromEntries([...(Object.entries(object) as [string, Json][]), ...changed]);
}

/** Timestamps and durations as in CEL's string(), bytes as base64, uints as numbers, types by their name. */
function sealed(value: Opaque, at: Span): Json {
  const inner = value.value;
  if (inner instanceof Uint8Array) return toBase64(inner);
  for (const form of ["double(a0)", "string(a0)"]) {
    try {
      return callLibrary(form, [value]) as Json;
    } catch {
      // The next form, or what is said below, is for values of another type.
      continue;
    }
  }
  if (typeof inner === "object" && inner !== null && "name" in inner) return String(inner.name);
  throw errorAt(at, "type", "the result has no form in JSON");
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** JSON text of a value; `spend` is told how many values and characters go into it before they do. */
export function writeJson(value: Value, at: Span, spend: (steps: number) => void): string {
  const json = toJson(value, at);
  const measure = (part: Json): void => {
    if (typeof part === "string") spend(1 + part.length / 64);
    else if (typeof part !== "object" || part === null) spend(1);
    else for (const inner of Array.isArray(part) ? part : Object.values(part)) measure(inner);
  };
  measure(json);
  return JSON.stringify(json);
}

export function parseJson(text: string, at: Span): Value {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "not JSON";
    throw Object.assign(errorAt(at, "value", `parseJson(): the text is not JSON: ${reason.slice(0, 200)}`), { cause });
  }
  if (isTooDeep(value, 0))
    throw errorAt(at, "limit", `parseJson(): the JSON is nested more than ${MAX_VALUE_DEPTH} deep`);
  return value;
}

function isTooDeep(value: Value, depth: number): boolean {
  if (depth > MAX_VALUE_DEPTH) return true;
  if (Array.isArray(value)) return value.some((element) => isTooDeep(element, depth + 1));
  return isObject(value) && Object.values(value).some((field) => isTooDeep(field, depth + 1));
}
