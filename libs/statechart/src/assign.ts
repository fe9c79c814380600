import { describeType, findSizeFault, isObject, type Json, setField } from "@heddle/engine";
import { ChartFault } from "./fault.ts";
import { findVariable } from "./scope.ts";
import type { Macrostep } from "./turn.ts";

/** Replaces the value of a field of the context, or of a field inside of it: `order.total`. @throws ChartFault */
export function assign(step: Macrostep, location: readonly string[], value: Json, path: string): void {
  const { turn } = step;
  const name = location.join(".");
  const fault = findSizeFault(value, turn.maxPayloadBytes);
  if (fault !== undefined) throw new ChartFault(path, `the value of ${name} ${fault}`);
  const [first, ...rest] = location as [string, ...string[]];
  turn.step.assigned ??= {};
  setField(
    turn.step.assigned,
    first,
    rest.length === 0 ? value : replaced(findVariable(turn, first), rest, value, name, path),
  );
}

/** A copy of the object with the value in its place: what the history holds must not change later. */
function replaced(
  whole: Json | undefined,
  [first, ...rest]: readonly string[],
  value: Json,
  name: string,
  path: string,
): Json {
  if (first === undefined) return value;
  if (!isObject(whole)) {
    const found = whole === undefined ? "there is none" : `it is ${describeType(whole)}`;
    throw new ChartFault(path, `${name} can only be set inside of an object, and ${found}; assign the object first`);
  }
  const copy = { ...whole };
  setField(copy, first, replaced(Object.hasOwn(whole, first) ? whole[first] : undefined, rest, value, name, path));
  return copy;
}
