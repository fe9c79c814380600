import { toPath } from "./compile.ts";
import { createFrame } from "./frame.ts";
import type { Json } from "./json.ts";
import { explainMissing } from "./path.ts";
import type { Syntax } from "./syntax.ts";
import type { Scope } from "./types.ts";

/**
 * `input.x`, `a.output.items[0]`: nearly all expressions are such paths, and they stand on the hot path of every node.
 * They need no frame, no budget, and their value is JSON as it is. undefined: the syntax is something else.
 */
export function compilePlainPath(syntax: Syntax, source: string): ((scope: Scope) => Json) | undefined {
  if (syntax.kind !== "name" && syntax.kind !== "select" && syntax.kind !== "index") return undefined;
  const path = toPath(syntax, source);
  const { base } = path;
  if (base.kind !== "name") return undefined;
  const keys: (string | number)[] = [];
  for (const { key, run } of path.steps) {
    if (run !== undefined) return undefined;
    if (typeof key === "string") keys.push(key);
    else if (typeof key === "bigint") keys.push(Number(key));
    else return undefined;
  }
  const { name } = base;
  return (scope) => {
    let value = scope.get(name);
    for (let index = 0; index < keys.length && value !== undefined; index += 1) {
      value = step(value, keys[index]!);
    }
    if (value === undefined) throw explainMissing(path, createFrame(scope), source);
    return value;
  };
}

function step(container: Json, key: string | number): Json | undefined {
  if (typeof container !== "object" || container === null) return undefined;
  if (Array.isArray(container)) return typeof key === "number" ? container[key] : undefined;
  return Object.hasOwn(container, key) ? container[key] : undefined;
}
