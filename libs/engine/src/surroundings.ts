import type { Scope } from "@heddle/expression";
import type { ExecutionState } from "./execution-state.ts";
import { findField, isObject, setField } from "./json-object.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Plan } from "./plan.ts";
import type { Capture, MapNode } from "./plan-node.ts";

/**
 * The body of a map runs as an execution of its own, which cannot look at the one that it stands in. What its
 * expressions read of that goes into its input when the item starts, under the same names; and its own scope looks
 * there for them.
 */

/** The input of an item whose body stands in the map: the item by its name, `index`, and what it reads around it. */
export function captureInput(captures: readonly Capture[], names: JsonObject, scope: Scope): JsonObject {
  const input: JsonObject = { ...names };
  for (const { name, paths } of captures) {
    const value = scope.get(name);
    // What is not there now is absent inside too: an expression with a default must see that.
    if (value !== undefined) setField(input, name, pick(value, paths));
  }
  return input;
}

/** Only the parts that are read: items are many, and each keeps its input. Lists are kept whole, for their positions. */
function pick(value: Json, paths: readonly string[][]): Json {
  if (!isObject(value) || paths.some(({ length }) => length === 0)) return value;
  const byField = new Map<string, string[][]>();
  for (const [field = "", ...rest] of paths) byField.set(field, [...(byField.get(field) ?? []), rest]);
  const picked: JsonObject = {};
  for (const [field, rest] of byField) {
    const inner = findField(value, field);
    if (inner !== undefined) setField(picked, field, pick(inner, rest));
  }
  return picked;
}

/** The version that an item runs: a body that stands in the map is of the version of the map's own execution. */
export function itemVersion({ captures, version }: MapNode, state: ExecutionState): number | undefined {
  return captures === undefined ? version : state.version;
}

/** What expressions call `input`. */
export function inputOf({ document }: Plan, state: ExecutionState): JsonObject {
  return document.surroundings === undefined ? state.input : capturedObject(state, "input");
}

/** What expressions call `vars`: a copy, since the state's own change with the next `set`. */
export function varsOf({ document }: Plan, state: ExecutionState): JsonObject {
  return document.surroundings === undefined ? { ...state.vars } : { ...capturedObject(state, "vars"), ...state.vars };
}

/** What flows into the first nodes. */
export function firstFlow({ document }: Plan, state: ExecutionState): Json {
  return document.surroundings === undefined
    ? state.input
    : (findField(state.input, document.surroundings.itemName) ?? null);
}

/** A node, a loop's item or the like, around the map: such names come before fields, as they do there. */
export function findCaptured({ document }: Plan, state: ExecutionState, name: string): Json | undefined {
  return document.surroundings?.names.includes(name) === true ? findField(state.input, name) : undefined;
}

function capturedObject({ input }: ExecutionState, name: string): JsonObject {
  const value = findField(input, name);
  return value !== undefined && isObject(value) ? value : {};
}
