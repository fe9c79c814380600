import { describeType } from "./json-object.ts";
import type { Json, JsonObject } from "./json.ts";
import { MAX_ATTRIBUTES, MAX_ATTRIBUTE_LENGTH, MAX_ATTRIBUTE_LIST } from "./limits.ts";

/** What an execution is found by. The type of the value is the type of the attribute. */
export type AttributeValue = string | number | boolean | string[];
export type Attributes = Record<string, AttributeValue>;

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/;

/** What is wrong with attributes, in words that name the one; undefined when nothing is. Null takes an attribute away. */
export function findAttributesFault(attributes: JsonObject, { allowNull }: { allowNull: boolean }): string | undefined {
  const names = Object.keys(attributes);
  if (names.length > MAX_ATTRIBUTES) return `are ${names.length}; an execution has at most ${MAX_ATTRIBUTES}`;
  for (const name of names) {
    if (!NAME.test(name)) {
      return `have one called ${JSON.stringify(name.slice(0, 80))}; a name is a letter or _, then letters, digits, _, - and ., at most 63 characters`;
    }
    const fault = findValueFault(attributes[name] as Json, allowNull);
    if (fault !== undefined) return `have a ${name} that ${fault}`;
  }
  return undefined;
}

function findValueFault(value: Json, allowNull: boolean): string | undefined {
  if (typeof value === "number" || typeof value === "boolean" || (value === null && allowNull)) return undefined;
  if (typeof value === "string") return findTextFault(value);
  if (!Array.isArray(value)) return `is ${describeType(value)}; it is a text, a number, a boolean or a list of texts`;
  if (value.length > MAX_ATTRIBUTE_LIST) return `lists ${value.length} texts; at most ${MAX_ATTRIBUTE_LIST}`;
  for (const item of value) {
    if (typeof item !== "string") return `lists ${describeType(item)}; a list has only texts`;
    const fault = findTextFault(item);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function findTextFault(text: string): string | undefined {
  if (text.length > MAX_ATTRIBUTE_LENGTH) return `has ${text.length} characters; at most ${MAX_ATTRIBUTE_LENGTH}`;
  return text.includes("\u0000") ? "has a NUL character, which cannot be searched for" : undefined;
}

/** The attributes after a change. */
export function mergeAttributes(
  before: Attributes | undefined,
  changes: Readonly<Record<string, AttributeValue | null>>,
): Attributes {
  const merged: Attributes = { ...before };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete merged[name];
    else merged[name] = value;
  }
  return merged;
}
