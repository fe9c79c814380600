import { leavesChildren } from "./close-policy.ts";
import type { Abandoned, ExecutionState } from "./execution-state.ts";
import { MAX_ABANDONED } from "./limits.ts";
import { approximateBytes } from "./payload-size.ts";
import type { LinkedNode } from "./plan.ts";

// Children and machines that were canceled and that no node remembers. The state does not know who was told: a turn finds
// here whom it must tell, and recovery tells all of them once more.

/** One that goes on whatever becomes of its parent is told nothing. */
export function abandon(state: ExecutionState, linked: LinkedNode, past: Abandoned): void {
  if (leavesChildren(linked)) return;
  (state.abandoned ??= []).push(past);
  if (past.input !== undefined) state.payloadBytes += approximateBytes(past.input);
}

/**
 * To be called when nodes have begun afresh. Forgets the oldest whose node has, beyond so many. What happens at this very
 * time stays, however much it is: the turn has not told of it. So does what was canceled for good, as long as the execution.
 */
export function forgetOldest(state: ExecutionState, at: number): void {
  const { abandoned = [] } = state;
  let excess = abandoned.length - MAX_ABANDONED;
  if (excess <= 0) return;
  // A few more, so that not every turn looks through all of them.
  excess += MAX_ABANDONED / 10;
  state.abandoned = abandoned.filter((past) => {
    if (excess <= 0 || past.at === at || past.restarts === (state.nodes[past.node]?.restarts ?? 0)) return true;
    excess--;
    if (past.input !== undefined) state.payloadBytes -= approximateBytes(past.input);
    return false;
  });
}

/** Made once for all that a turn has canceled. */
export interface AbandonedIndex {
  /** Of a node that had begun afresh so often. */
  findNode(node: number, restarts: number): Abandoned | undefined;
  /** The last one that is not of `begun`. */
  findItem(node: number, item: number): Abandoned | undefined;
}

export function indexAbandoned({ abandoned = [] }: ExecutionState, begun: ReadonlySet<string>): AbandonedIndex {
  const nodes = new Map<string, Abandoned>();
  const items = new Map<string, Abandoned>();
  for (const past of abandoned) {
    const { node, restarts, itemIndex, childId } = past;
    if (itemIndex === undefined) nodes.set(`${node}/${restarts}`, past);
    // Its map may have begun afresh in the same turn, and have been canceled again.
    else if (childId !== undefined && !begun.has(childId)) items.set(`${node}/${itemIndex}`, past);
  }
  return {
    findNode: (node, restarts) => nodes.get(`${node}/${restarts}`),
    findItem: (node, item) => items.get(`${node}/${item}`),
  };
}
