import type { Json } from "@heddle/engine";
import type { Expression } from "./syntax.ts";

export type Type = "text" | "number" | "boolean" | "list" | "object" | "unknown";

/** The value of an expression that is the same always; undefined when it is not. */
export function constantOf(expression: Expression): Json | undefined {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "unary": {
      const value = expression.operator === "-" ? constantOf(expression.operand) : undefined;
      return typeof value === "number" ? -value : undefined;
    }
    case "list": {
      const items = expression.items.map(constantOf);
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case "object": {
      const fields = expression.fields.map(({ name, value }) => [name, constantOf(value)] as const);
      return fields.every(([, value]) => value !== undefined)
        ? (Object.fromEntries(fields) as Record<string, Json>)
        : undefined;
    }
    default:
      return undefined;
  }
}

function typeOfValue(value: Json | undefined): Type {
  if (value === undefined || value === null) return "unknown";
  if (Array.isArray(value)) return "list";
  if (typeof value === "string") return "text";
  return typeof value as "number" | "boolean" | "object";
}

/** What functions and methods give. */
const RESULTS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ["In", "boolean"],
  ["String", "text"],
  ["Number", "number"],
  ["includes", "boolean"],
  ["startsWith", "boolean"],
  ["endsWith", "boolean"],
  ["toLowerCase", "text"],
  ["toUpperCase", "text"],
  ["trim", "text"],
  ["toString", "text"],
  ["substring", "text"],
  ["join", "text"],
  ["indexOf", "number"],
  ["split", "list"],
]);

/** What an expression gives, as far as it can be seen. */
export function typeOfExpression(expression: Expression, variables: ReadonlyMap<string, Type>): Type {
  const typeOf = (part: Expression): Type => typeOfExpression(part, variables);
  switch (expression.kind) {
    case "literal":
      return typeOfValue(expression.value);
    case "list":
    case "object":
      return expression.kind;
    case "name":
      return variables.get(expression.name) ?? "unknown";
    case "unary":
      return expression.operator === "!" ? "boolean" : expression.operator === "typeof" ? "text" : "number";
    case "conditional": {
      const type = typeOf(expression.yes);
      return type === typeOf(expression.no) ? type : "unknown";
    }
    case "call":
      return RESULTS.get(calledName(expression.callee)) ?? "unknown";
    case "binary": {
      const { operator, left, right } = expression;
      if (/^[=!<>]/.test(operator)) return "boolean";
      if (/^[-*/%]$/.test(operator)) return "number";
      const types = [typeOf(left), typeOf(right)];
      if (operator === "+" && types.includes("text")) return "text";
      return types[0] === types[1] ? types[0]! : "unknown";
    }
    case "member":
      return memberType(expression);
    case "index":
      return "unknown";
  }
}

function memberType({ object, property }: Extract<Expression, { kind: "member" }>): Type {
  if (isName(object, "_event")) return property === "data" ? "unknown" : "text";
  return property === "length" ? "number" : "unknown";
}

/** The function or the method that a call names; empty when it is neither. */
export function calledName(callee: Expression): string {
  if (callee.kind === "name") return callee.name;
  return callee.kind === "member" ? callee.property : "";
}

/** A call of In(). */
export function isIn({ callee }: Extract<Expression, { kind: "call" }>): boolean {
  return isName(callee, "In");
}

export function isName(expression: Expression, name: string): boolean {
  return expression.kind === "name" && expression.name === name;
}
