import { closePolicyOf, leavesChildren } from "./close-policy.ts";
import { listStopped } from "./ending-state.ts";
import type { ExecutionState } from "./execution-state.ts";
import type { LinkedNode, Plan } from "./plan.ts";

// Which children must be told to end, and how.

export interface ChildCancellation {
  nodeId: string;
  childId: string;
  /** At once: nothing of it runs any more. */
  terminate?: true;
  /** The parent undoes nothing before it knows that the child has ended: it must be told. */
  isAwaited?: true;
}

/** Of obligations, or of what changes them. */
interface WithCancellations {
  cancelChildren: ChildCancellation[];
}

/** All of them, also those that were told before, or that never left the turn: their end must be known. */
export function addAwaited(to: WithCancellations, plan: Plan, state: ExecutionState): void {
  const { awaited } = state.ending ?? {};
  if (awaited === undefined) return;
  const told = new Set(to.cancelChildren.map(({ childId }) => childId));
  for (const [childId, nodeId] of Object.entries(awaited))
    if (!told.has(childId)) {
      const linked = plan.nodes[plan.indices.get(nodeId) as number] as LinkedNode;
      to.cancelChildren.push(describeCancellation(linked, state, nodeId, childId));
    }
}

/** Those that were told before to end in order. */
export function addTerminated(to: WithCancellations, plan: Plan, state: ExecutionState): void {
  const told = new Set(to.cancelChildren.map(({ childId }) => childId));
  for (const [childId, nodeId] of Object.entries(listStopped(plan, state)))
    if (!told.has(childId)) to.cancelChildren.push({ nodeId, childId, terminate: true });
}

/** It was told to end, and had completed before. */
function hasCompleted({ compensations }: ExecutionState, childId: string): boolean {
  return compensations?.some((record) => record.childId === childId) ?? false;
}

/** One that goes on whatever becomes of its parent is told nothing. */
export function addCancellationOf(
  to: WithCancellations,
  state: ExecutionState,
  linked: LinkedNode,
  nodeId: string,
  childId: string,
): void {
  if (!leavesChildren(linked)) to.cancelChildren.push(describeCancellation(linked, state, nodeId, childId));
}

function describeCancellation(
  { definition }: LinkedNode,
  state: ExecutionState,
  nodeId: string,
  childId: string,
): ChildCancellation {
  const atOnce = closePolicyOf(definition) === "terminate" || (state.isTerminated && !hasCompleted(state, childId));
  return {
    nodeId,
    childId,
    ...(atOnce && { terminate: true }),
    ...(state.ending?.awaited?.[childId] !== undefined && { isAwaited: true }),
  };
}
