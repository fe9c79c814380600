import { celType } from "@bufbuild/cel";

/**
 * A value during evaluation: JSON, CEL's int as bigint (JSON numbers are doubles, literals such as `1` are ints), and
 * what only the CEL library understands (timestamps, durations, bytes, uints, types) sealed in `Opaque`.
 */
export type Value = null | boolean | string | number | bigint | Opaque | Value[] | ValueObject;
export interface ValueObject {
  [key: string]: Value;
}

/** A value of the CEL library. Sealed, so that no walk over JSON ever looks inside. */
export class Opaque {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

export function isObject(value: Value | undefined): value is ValueObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Opaque);
}

export function isNumeric(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** What a key is called in messages; keys that are no text or number name nothing anyway. */
export function keyText(key: Value): string {
  return typeof key === "object" ? describeType(key) : String(key);
}

/** CEL's name of a value's type; of JSON: `string`, `double`, `bool`, `null_type`, `list`, `map`. */
export function typeName(value: Value): string {
  if (value === null) return "null_type";
  if (Array.isArray(value)) return "list";
  if (value instanceof Opaque) return celType(value.value as Parameters<typeof celType>[0]).name;
  return TYPE_NAMES.get(typeof value) ?? "map";
}

const TYPE_NAMES = new Map([
  ["string", "string"],
  ["number", "double"],
  ["bigint", "int"],
  ["boolean", "bool"],
]);

/** For messages: `a string`, `a list`, ... */
export function describeType(value: Value): string {
  switch (typeof value) {
    case "string":
      return "a string";
    case "number":
    case "bigint":
      return "a number";
    case "boolean":
      return "a boolean";
    default:
      if (value === null) return "null";
      if (Array.isArray(value)) return "a list";
      return value instanceof Opaque ? "a special value (timestamp, duration, bytes, uint or type)" : "an object";
  }
}

/**
 * The element or field that a key names; undefined when there is none. Only own fields count: `constructor`,
 * `__proto__` and whatever else objects inherit do not exist here.
 */
export function member(container: Value, key: Value): Value | undefined {
  if (typeof key === "string") return isObject(container) && Object.hasOwn(container, key) ? container[key] : undefined;
  if (Array.isArray(container)) {
    if (typeof key === "bigint") return container[Number(key)];
    return typeof key === "number" ? container[key] : undefined;
  }
  if (isObject(container) && (isNumeric(key) || typeof key === "boolean")) return member(container, String(key));
  return undefined;
}

export interface Comparison {
  /** Called once per pair of values with the left one, so that the caller can bound the work. */
  visit(left: Value, depth: number): void;
  /** At least one of the two is Opaque: a uint may equal an int. */
  equalOpaque(left: Value, right: Value): boolean;
}

/** Deep equality as in CEL: numbers by value whatever their type, different types are never equal. */
export function compareEqual(left: Value, right: Value, comparison: Comparison, depth = 0): boolean {
  comparison.visit(left, depth);
  if (left === right) return true;
  // oxlint-disable-next-line eqeqeq -- `===` never holds between number and bigint, which the language compares exactly
  if (isNumeric(left) && isNumeric(right)) return left == right;
  if (left instanceof Opaque || right instanceof Opaque) return comparison.equalOpaque(left, right);
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((element, index) => compareEqual(element, right[index]!, comparison, depth + 1));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && compareEqual(left[key]!, right[key]!, comparison, depth + 1));
}
