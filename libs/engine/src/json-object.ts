import type { Json, JsonObject } from "./json.ts";

/** Is it an object, neither null nor a list? */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object's own field: `constructor` and its like are not fields. */
export function findField(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets a field whatever its name is: an assignment to `__proto__` would set the prototype instead. */
export function setField(object: JsonObject, name: string, value: Json): void {
  if (name === "__proto__") {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[name] = value;
  }
}

/** Copies the fields of `from` into `into`; later ones win. */
export function assignFields(into: JsonObject, from: JsonObject): void {
  for (const name of Object.keys(from)) setField(into, name, from[name] as Json);
}

/** As text inside text: strings as they are, everything else as JSON. */
export function toText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** For messages: `a list`, `an object`, `a string`. */
export function describeType(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
