import { forgetOldest } from "./abandoned.ts";
import type { Event } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import { indexOfNode } from "./node-index.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import { isSettled, recount, recountBranches } from "./settle.ts";
import type { NodeState } from "./state.ts";
import { pruneTimers } from "./timers.ts";
import { restart } from "./turns.ts";
import { forgetWrites } from "./vars.ts";

/**
 * The nodes are as they were at the start, but for the numbers of attempts and the ids of children, which go on counting;
 * those that wait for nothing are ready. Looks at all nodes: nobody resets in a loop.
 */
export function resetNodes(
  plan: Plan,
  state: ExecutionState,
  event: Extract<Event, { type: "execution_reset" }>,
): void {
  const again = new Set(event.nodeIds.map((id) => indexOfNode(plan, id)));
  // What goes on around them: its end may have been decided, and waits in the queue.
  const around = new Set([...again].flatMap((index) => listAround(plan, state, index)));
  for (const index of again) around.delete(index);
  const withheld = listWithheld(plan, state, again);
  state.ready = state.ready
    .slice(state.readyHead)
    .filter((index) => !again.has(index) && !around.has(index) && !withheld.has(index));
  state.readyHead = 0;
  for (const index of again) {
    const node = state.nodes[index] as NodeState;
    if (node.status !== "pending") restart(plan, state, index);
    // Chosen, and held back by a suspension: what chose it may choose otherwise now.
    else node.activatedBy = undefined;
    state.unsettled[index] = plan.prerequisiteCounts[index] as number;
  }
  forgetOldest(state, event.at);
  forgetWrites(state, again);
  pruneTimers(state);
  for (const index of around) {
    const { turn } = state.nodes[index] as NodeState;
    const linked = plan.nodes[index] as LinkedNode;
    if (linked.definition.kind === "parallel") recountBranches(plan, state, linked);
    if (turn !== undefined) turn.open = countOpen(plan, state, index);
  }
  state.openNodes = countOpen(plan, state, undefined);
  for (const index of withheld) (state.nodes[index] as NodeState).activatedBy = undefined;
  for (const index of [...again, ...withheld].sort((a, b) => a - b)) {
    const linked = plan.nodes[index] as LinkedNode;
    const { container } = linked.definition;
    // What is in a group or loop that begins afresh waits for its turn.
    if (container === undefined || !again.has(container)) recount(plan, state, linked);
  }
}

/** What waits for the end of the node: its container, and what it is a branch of or stands in for. */
function listAround(plan: Plan, state: ExecutionState, index: number): number[] {
  const { definition, branchOf, fallbackOf } = plan.nodes[index] as LinkedNode;
  const owners = fallbackOf.filter((owner) => state.nodes[owner]?.fallback === index);
  const { container } = definition;
  const list = [...branchOf, ...owners, ...(container === undefined ? [] : [container])];
  return list.filter((one) => state.nodes[one]?.status === "waiting");
}

/** Branches that have not begun, of parallels that begin afresh without them: they wait for these once more. */
function listWithheld(plan: Plan, state: ExecutionState, again: ReadonlySet<number>): Set<number> {
  const withheld = new Set<number>();
  for (const index of again) {
    const { definition, activates } = plan.nodes[index] as LinkedNode;
    if (definition.kind !== "parallel") continue;
    for (const branch of activates) {
      if (!again.has(branch) && (state.nodes[branch] as NodeState).status === "pending") withheld.add(branch);
    }
  }
  return withheld;
}

function countOpen(plan: Plan, state: ExecutionState, container: number | undefined): number {
  return plan.nodes.filter(
    ({ index, definition, role }) =>
      role === undefined && definition.container === container && !isSettled(state, index),
  ).length;
}
