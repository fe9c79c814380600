import type { ExecutionState } from "./execution-state.ts";
import type { OpenIncident } from "./open-incident.ts";
import type { NodeState } from "./state.ts";

/** In the place of the index of a fallback: nobody runs, a person decides. */
const INCIDENT = -1;

export function isIncident(node: NodeState | undefined): boolean {
  return node?.status === "waiting" && node.fallback === INCIDENT;
}

/** Index of the node that runs in the place of this one, or has. None while a person decides. */
export function standInOf({ fallback }: NodeState): number | undefined {
  return fallback === INCIDENT ? undefined : fallback;
}

/**
 * Those that are open, in the order in which they were opened. What ends one is many things (a resolution, a cancel, another turn of the
 * loop around it, a reset); all of them show at its node, so nothing else has to be told.
 */
export function listOpenIncidents(state: Pick<ExecutionState, "incidents" | "nodes">): OpenIncident[] {
  return (state.incidents ?? []).filter(({ node }) => isIncident(state.nodes[node]));
}

/** The node waits for a person from now on. */
export function openIncident(state: ExecutionState, index: number, openedAt: number): void {
  // Before the node itself says so: what is kept of an earlier one of the same node is over.
  state.incidents = [...listOpenIncidents(state), { node: index, openedAt }];
  (state.nodes[index] as NodeState).fallback = INCIDENT;
}
