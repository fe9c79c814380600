import type { IncidentResolution } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import type { Json } from "./json.ts";
import type { OpenIncident } from "./open-incident.ts";
import type { LinkedNode, Plan, Turn } from "./plan.ts";
import type { NodeState } from "./state.ts";
import { restart } from "./turns.ts";

/** In the place of the index of a fallback: nobody runs, a person decides. */
const INCIDENT = -1;

export function isIncident(node: NodeState | undefined): boolean {
  return node?.status === "waiting" && node.fallback === INCIDENT;
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

/** What the person gave who had the node tried again. */
export function mendedInput({ state }: Turn, { index }: LinkedNode): Json | undefined {
  return state.nodes[index]?.mended;
}

/** With another try everything of the node begins afresh, and what is inside of it. */
export function evolveResolution(
  plan: Plan,
  state: ExecutionState,
  { index, body }: LinkedNode,
  resolution: IncidentResolution,
): void {
  const { activatedBy, ...before } = state.nodes[index] as NodeState;
  if (resolution.action !== "retry") {
    delete (state.nodes[index] as NodeState).fallback;
    return;
  }
  for (const inside of body?.inside ?? []) restart(plan, state, inside);
  restart(plan, state, index);
  const mended = resolution.input ?? before.mended;
  Object.assign(state.nodes[index] as NodeState, {
    ...(activatedBy !== undefined && { activatedBy }),
    ...(mended !== undefined && { mended }),
  });
  state.unsettled[index] = 0;
  state.ready.push(index);
}
