import type { ExecutionState } from "./execution-state.ts";
import { standInOf } from "./incident.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { NodeState } from "./state.ts";

// A node that runs in the place of one that has failed, and then stops with it unless another one needs it as well.

/** What runs in the place of this node, or is to, unless that is so for another one too. */
export function findOwnFallback(plan: Plan, state: ExecutionState, { index }: LinkedNode): LinkedNode | undefined {
  const linked = findFallback(plan, state, index);
  return linked !== undefined && findOtherOwner(state, linked, index) === undefined ? linked : undefined;
}

/** The node has stopped: what has not begun in its place begins for another one, or not at all. */
export function deactivateFallback(plan: Plan, state: ExecutionState, { index }: LinkedNode): void {
  const linked = findFallback(plan, state, index);
  if (linked === undefined) return;
  const node = state.nodes[linked.index] as NodeState;
  if (node.status !== "pending" || node.activatedBy !== index) return;
  const other = findOtherOwner(state, linked, index);
  if (other === undefined) delete node.activatedBy;
  else node.activatedBy = other;
}

function findFallback(plan: Plan, state: ExecutionState, owner: number): LinkedNode | undefined {
  const fallback = standInOf(state.nodes[owner] as NodeState);
  return fallback === undefined ? undefined : plan.nodes[fallback];
}

function findOtherOwner(state: ExecutionState, { index, fallbackOf }: LinkedNode, owner: number): number | undefined {
  return fallbackOf.find((other) => {
    const { status, fallback } = state.nodes[other] as NodeState;
    return other !== owner && status === "waiting" && fallback === index;
  });
}
