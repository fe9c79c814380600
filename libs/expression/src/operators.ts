import { callLibrary } from "./cel-library.ts";
import { errorAt, limitText, spend, textCost } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { MAX_VALUE_DEPTH } from "./limits.ts";
import type { BinaryOperator, Span } from "./syntax.ts";
import { Opaque, compareEqual, describeType, isNumeric, isObject } from "./value.ts";
import type { Value } from "./value.ts";

/** The operators that need both values; `&&` and `||` are compiled apart. */
export type StrictOperator = Exclude<BinaryOperator, "&&" | "||">;
type Arithmetic = "+" | "-" | "*" | "/" | "%";
type Order = "<" | "<=" | ">" | ">=";
export type Operate = (frame: Frame, left: Value, right: Value, at: Span) => Value;

export const OPERATORS: Record<StrictOperator, Operate> = {
  "+": (frame, left, right, at) => {
    if (typeof left === "string" && typeof right === "string") {
      spend(frame, textCost(left) + textCost(right), at);
      return limitText(left + right, at);
    }
    if (Array.isArray(left) && Array.isArray(right)) {
      spend(frame, left.length + right.length, at);
      return [...left, ...right];
    }
    return arithmetic("+", left, right, at);
  },
  "-": (_frame, left, right, at) => arithmetic("-", left, right, at),
  "*": (_frame, left, right, at) => arithmetic("*", left, right, at),
  "/": (_frame, left, right, at) => arithmetic("/", left, right, at),
  "%": (_frame, left, right, at) => arithmetic("%", left, right, at),
  "==": (frame, left, right, at) => isEqual(frame, left, right, at),
  "!=": (frame, left, right, at) => !isEqual(frame, left, right, at),
  "<": (frame, left, right, at) => order("<", frame, left, right, at),
  "<=": (frame, left, right, at) => order("<=", frame, left, right, at),
  ">": (frame, left, right, at) => order(">", frame, left, right, at),
  ">=": (frame, left, right, at) => order(">=", frame, left, right, at),
  in: (frame, left, right, at) => contains(frame, right, left, at),
};

/** ints stay ints as in CEL (`7 / 2` is 3); as soon as a JSON number takes part the result is a double (`input.n / 2` is 3.5). */
function arithmetic(operator: Arithmetic, left: Value, right: Value, at: Span): Value {
  if (typeof left === "bigint" && typeof right === "bigint") {
    if (right === 0n && (operator === "/" || operator === "%")) throw errorAt(at, "value", "division by zero");
    return limitInt(calculateInt(operator, left, right), at);
  }
  if (isNumeric(left) && isNumeric(right)) return calculate(operator, Number(left), Number(right));
  if (left instanceof Opaque || right instanceof Opaque) return callOperator(operator, left, right, at);
  throw mismatch(operator, left, right, at);
}

function calculate(operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
  }
}

function calculateInt(operator: Arithmetic, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
  }
}

export function limitInt(value: bigint, at: Span): bigint {
  if (BigInt.asIntN(64, value) === value) return value;
  throw errorAt(at, "value", "the whole number does not fit in 64 bits", "make one of the numbers a double: double(x)");
}

function order(operator: Order, frame: Frame, left: Value, right: Value, at: Span): boolean {
  if (typeof left === "string") spend(frame, textCost(left), at);
  const comparable =
    (isNumeric(left) && isNumeric(right)) ||
    (typeof left === "string" && typeof right === "string") ||
    (typeof left === "boolean" && typeof right === "boolean");
  if (comparable) return compare(operator, left as number, right as number);
  if (left instanceof Opaque || right instanceof Opaque) return callOperator(operator, left, right, at) as boolean;
  throw mismatch(operator, left, right, at);
}

/** Numbers here, yet the language compares number with bigint, and text with text, in just the same way. */
function compare(operator: Order, left: number, right: number): boolean {
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
}

function isEqual(frame: Frame, left: Value, right: Value, at: Span): boolean {
  return compareEqual(left, right, {
    visit(a, depth) {
      if (depth > MAX_VALUE_DEPTH)
        throw errorAt(at, "limit", `the values are nested more than ${MAX_VALUE_DEPTH} deep`);
      spend(frame, typeof a === "string" ? textCost(a) : 1, at);
    },
    equalOpaque: (a, b) => callOperator("==", a, b, at) === true,
  });
}

/** `value in container`: an element of a list, the name of a field of an object. */
export function contains(frame: Frame, container: Value, value: Value, at: Span): boolean {
  if (Array.isArray(container)) return container.some((element) => isEqual(frame, element, value, at));
  if (isObject(container)) {
    // As CEL has it: what can never be a name is a mistake of the writer, and not merely absent.
    if (typeof value === "object") {
      throw errorAt(at, "type", `"in" looks for the name of a field in an object, not for ${describeType(value)}`);
    }
    return Object.hasOwn(container, String(value));
  }
  throw errorAt(at, "type", `"in" looks into a list or an object, not into ${describeType(container)}`);
}

function callOperator(operator: StrictOperator, left: Value, right: Value, at: Span): Value {
  try {
    return callLibrary(`a0 ${operator} a1`, [left, right]);
  } catch (cause) {
    throw Object.assign(mismatch(operator, left, right, at), { cause });
  }
}

function mismatch(operator: string, left: Value, right: Value, at: Span): Error {
  const hasText = typeof left === "string" || typeof right === "string";
  const hint = hasText && operator === "+" ? "text is joined with text: string(x), or write ${a}${b}" : undefined;
  return errorAt(at, "type", `"${operator}" does not go with ${describeType(left)} and ${describeType(right)}`, hint);
}
