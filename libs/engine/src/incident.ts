import type { NodeState } from "./state.ts";

/** In the place of the index of a fallback: nobody runs, a person decides. */
export const INCIDENT = -1;

export function isIncident(node: NodeState | undefined): boolean {
  return node?.status === "waiting" && node.fallback === INCIDENT;
}

/** Index of the node that runs in the place of this one, or has. None while a person decides. */
export function standInOf({ fallback }: NodeState): number | undefined {
  return fallback === INCIDENT ? undefined : fallback;
}
