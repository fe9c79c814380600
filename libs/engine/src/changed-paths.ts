import { findField, isObject } from "./json-object.ts";
import type { Json } from "./json.ts";
import { MAX_CHANGED_PATHS } from "./limits.ts";

/** A place in which two values differ. */
export interface Change {
  /** As an expression would write it after the value's name: `to[0].amount`; empty: the whole. */
  path: string;
  /** null where there was nothing. */
  from: Json;
  /** null where there is nothing any more. */
  to: Json;
}

/** Where `to` differs from `from`, in the order of their fields. When they differ in more places than the limit, it is one change of the whole. */
export function listChanges(from: Json, to: Json): Change[] {
  const changes: Change[] = [];
  collect(changes, "", from, to);
  return changes.length > MAX_CHANGED_PATHS ? [{ path: "", from, to }] : changes;
}

function collect(changes: Change[], path: string, from: Json | undefined, to: Json | undefined): void {
  if (changes.length > MAX_CHANGED_PATHS || from === to) return;
  if (from !== undefined && to !== undefined) {
    if (isObject(from) && isObject(to)) {
      for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
        collect(changes, pathOf(path, name), findField(from, name), findField(to, name));
      }
      return;
    }
    if (Array.isArray(from) && Array.isArray(to)) {
      for (let i = 0; i < Math.max(from.length, to.length); i++) collect(changes, `${path}[${i}]`, from[i], to[i]);
      return;
    }
  }
  changes.push({ path, from: from ?? null, to: to ?? null });
}

function pathOf(path: string, name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}
