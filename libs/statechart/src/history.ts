import type { LinkedState } from "./chart.ts";

/** SCXML 3.10: deep, the atomic descendants that are active; shallow, the children. */
export function recordHistory(
  states: readonly LinkedState[],
  configuration: readonly number[],
  parent: LinkedState,
  isDeep: boolean,
): number[] {
  return configuration.filter((index) => {
    const active = states[index] as LinkedState;
    if (!isDeep) return active.parent === parent.index;
    return (active.kind === "atomic" || active.kind === "final") && index > parent.index && index < parent.end;
  });
}
