import type { Event } from "./events.ts";
import { countActive } from "./execution-state.ts";
import { findOwnFallback } from "./fallbacks.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import type { NodeState, NodeStatus } from "./state.ts";
import { emit } from "./turn.ts";

// What runs or waits stops, because nobody needs its end any more. What becomes of those around it must follow.

/** Stops what runs or waits in a group, loop or map; its own end must follow. */
export function stopBody(turn: Turn, node: LinkedNode): void {
  if ((turn.state.nodes[node.index] as NodeState).status !== "waiting") return;
  stopItems(turn, node);
  if (node.body !== undefined) cancelAll(turn, node.body.inside);
}

/** Cancels the items of a map that still run. */
export function stopItems(turn: Turn, { id, index }: LinkedNode): void {
  const { map } = turn.state.nodes[index] as NodeState;
  for (const item of map === undefined ? [] : [...map.active]) {
    emit(turn, { type: "item_ended", at: turn.at, nodeId: id, index: item.index, end: { outcome: "canceled" } });
  }
}

/**
 * Nodes whose ends nobody needs any more, while the execution goes on; with them what runs in their places, and the
 * branches of parallels. A list, since fallbacks and parallels may be as deep as there are nodes.
 */
export function stopNodes(turn: Turn, indices: readonly number[]): void {
  const { plan, state } = turn;
  const toStop = [...indices];
  for (let at = 0; at < toStop.length; at++) {
    const node = plan.nodes[toStop[at] as number] as LinkedNode;
    const { status } = state.nodes[node.index] as NodeState;
    if (status === "pending") {
      emit(turn, { type: "node_skipped", at: turn.at, nodeId: node.id, reason: "not_needed" });
    } else if (isActive(status)) {
      const fallback = findOwnFallback(plan, state, node);
      stopBody(turn, node);
      emit(turn, { ...cancellationOf(turn, node), reason: "not_needed" });
      if (node.definition.kind === "parallel") toStop.push(...node.activates);
      // One that has not begun is not chosen any more.
      if (fallback !== undefined && state.nodes[fallback.index]?.status !== "pending") toStop.push(fallback.index);
    }
  }
}

/** Stops everything that runs or waits, in document order; the execution's own end must follow. */
export function cancelActive(turn: Turn): void {
  cancelAll(turn, turn.plan.body.inside);
}

/** Stops those of these nodes that run or wait, in this order; what becomes of them must follow. */
export function cancelAll(turn: Turn, indices: readonly number[]): void {
  const { plan, state } = turn;
  for (const index of indices) {
    if (countActive(state) === 0) return;
    const { status } = state.nodes[index] as NodeState;
    if (!isActive(status)) continue;
    const node = plan.nodes[index] as LinkedNode;
    stopItems(turn, node);
    emit(turn, cancellationOf(turn, node));
  }
}

function cancellationOf(turn: Turn, { id, index, definition }: LinkedNode): Extract<Event, { type: "node_canceled" }> {
  const { status, attempt, restarts } = turn.state.nodes[index] as NodeState;
  return {
    type: "node_canceled",
    at: turn.at,
    nodeId: id,
    ...(definition.kind === "task" && status === "scheduled" && { attempt }),
    ...(restarts !== undefined && { restarts }),
  };
}

function isActive(status: NodeStatus): boolean {
  return status === "scheduled" || status === "backing_off" || status === "waiting";
}
