import type { ExecutionState, Write } from "./execution-state.ts";
import { assignFields, setField } from "./json-object.ts";
import type { Json, JsonObject } from "./json.ts";

// `vars` are what `set` actions have written. Who wrote what is kept, so that a write can be taken back or over alone.

/** A `set` action has written. Of its writes only the last is kept: it writes the same fields each time. */
export function writeVars(state: ExecutionState, node: number, fields: JsonObject): void {
  const writes = (state.writes ??= []);
  const before = writes.findIndex((write) => write.node === node);
  if (before >= 0) writes.splice(before, 1);
  writes.push({ node, fields });
  assignFields(state.vars, fields);
}

/** Instead of a node: an update has written. */
export const OUTSIDE = -1;

/** An update has written a field. */
export function writeVar(state: ExecutionState, name: string, value: Json): void {
  const writes = (state.writes ??= []).filter(({ node, fields }) => node !== OUTSIDE || !Object.hasOwn(fields, name));
  const fields: JsonObject = {};
  setField(fields, name, value);
  setField(state.vars, name, value);
  state.writes = [...writes, { node: OUTSIDE, fields }];
}

/** Takes back what these nodes have written. */
export function forgetWrites(state: ExecutionState, nodes: ReadonlySet<number>): void {
  const { writes } = state;
  // A snapshot of a release that did not keep them: what was written stays.
  if (writes === undefined || !writes.some(({ node }) => nodes.has(node))) return;
  setWrites(
    state,
    writes.filter(({ node }) => !nodes.has(node)),
  );
}

export function setWrites(state: ExecutionState, writes: Write[]): void {
  state.writes = writes;
  state.vars = {};
  for (const { fields } of writes) assignFields(state.vars, fields);
}
