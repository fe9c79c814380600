import type { JsonObject } from "@heddle/engine";
import { MAX_ID_LENGTH } from "../limits.ts";
import { THEN } from "./keywords.ts";

/** A part of a JSON Schema, draft 07: what the language servers of editors know. */
export type Schema = JsonObject;

/** An object that has these fields and no others. An empty value counts as absent everywhere, so null is always allowed. */
export function object(
  description: string,
  properties: Record<string, Schema>,
  required: readonly string[] = [],
): Schema {
  return {
    type: "object",
    description,
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, orEmpty(schema)])),
    ...(required.length > 0 && { required: [...required] }),
  };
}

/** References cannot have anything beside them in draft 07. */
function orEmpty(schema: Schema): Schema {
  const { description, ...rest } = schema;
  return { ...(description !== undefined && { description }), anyOf: [rest, { type: "null" }] };
}

export const text = (description: string): Schema => ({ description, type: "string" });
export const id = (description: string): Schema => ({ description, type: "string", maxLength: MAX_ID_LENGTH });
export const flag = (description: string): Schema => ({ description, type: "boolean" });
export const whole = (description: string, minimum: number, maximum: number): Schema => ({
  description,
  type: "integer",
  minimum,
  maximum,
});
export const number = (description: string, minimum: number, maximum: number): Schema => ({
  description,
  type: "number",
  minimum,
  maximum,
});
export const oneOf = (description: string, values: readonly string[]): Schema => ({ description, enum: [...values] });
/** Anything, whose texts may hold `${...}`. */
export const template = (description: string): Schema => ({ description });
export const anyObject = (description: string): Schema => ({ description, type: "object" });
/** `${...}`, or an expression without the braces. */
export const condition = (description: string): Schema => ({ description, type: ["string", "boolean"] });
export const duration = (description: string): Schema => ({
  description: `${description} E.g. 500ms, 30s, 5m, 1h30m, 2d, or a number of seconds.`,
  type: ["string", "number"],
});
export const list = (description: string, items: Schema): Schema => ({ description, type: "array", items });
export const ids = (description: string): Schema => list(description, { type: "string" });
export const oneOrMore = (description: string, item: Schema): Schema => ({
  description,
  anyOf: [item, { type: "array", items: item }],
});
export const ref = (name: string, description?: string): Schema => ({
  ...(description !== undefined && { description }),
  $ref: `#/definitions/${name}`,
});

/** The case whose value the field has says what the object is: one message that fits, where `oneOf` gives one for each. */
export function choose(field: string, cases: Record<string, Schema>): Schema[] {
  return Object.entries(cases).map(([value, schema]) =>
    ifThen({ type: "object", properties: { [field]: { const: value } }, required: [field] }, schema),
  );
}

/** Not as a literal: an object with a method of this name would be taken for a promise. */
function ifThen(condition: Schema, consequence: Schema): Schema {
  return Object.fromEntries([
    ["if", condition],
    [THEN, consequence],
  ]);
}
