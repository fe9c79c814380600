import { checkPayload } from "./evaluate.ts";
import { evolve } from "./evolve.ts";
import type { Event, Failure } from "./events.ts";
import { type ExecutionState, countActive } from "./execution-state.ts";
import { type NodeFault, boundFailure } from "./failure.ts";
import type { Json } from "./json.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES } from "./limits.ts";
import type { DecideContext, LinkedNode, Plan, Turn } from "./plan.ts";
import { handlingOf } from "./on-error.ts";
import type { NodeState, NodeStatus } from "./state.ts";

export function createTurn(plan: Plan, state: ExecutionState, context: DecideContext): Turn {
  return {
    plan,
    state,
    events: [],
    context,
    at: Math.max(context.now, state.updatedAt),
    maxPayloadBytes: context.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES,
  };
}

/** Decides an event: it happens to the state at once, so that what follows is decided on it. */
export function emit(turn: Turn, event: Event): void {
  turn.events.push(event);
  evolve(turn.plan, turn.state, event);
}

/** @throws NodeFault when the output is too large */
export function completeNode(turn: Turn, node: LinkedNode, output: Json, chosen?: string[]): void {
  checkPayload(turn, "the output", output);
  emit(
    turn,
    chosen
      ? { type: "node_completed", at: turn.at, nodeId: node.id, output, chosen }
      : { type: "node_completed", at: turn.at, nodeId: node.id, output },
  );
}

/**
 * The node fails for good, and what is left of it stops. Its handlers say what follows; without one its failure is that of
 * its container, or of the execution, unless it is tolerated.
 */
export function failNode(turn: Turn, node: LinkedNode, failure: Failure): void {
  stopBody(turn, node);
  const { nodeId = node.id } = failure;
  const handling = handlingOf(turn, node, { ...boundFailure(failure), nodeId }, (fault) => ({
    ...describeNodeFault(node, fault),
    nodeId: node.id,
  }));
  const named = handling.failure;
  if (handling.outcome !== undefined) {
    emit(turn, { type: "error_handled", at: turn.at, nodeId: node.id, failure: named, outcome: handling.outcome });
    return;
  }
  emit(turn, { type: "node_failed", at: turn.at, nodeId: node.id, failure: named });
  if (node.tolerated) return;
  const { container } = node.definition;
  if (container !== undefined) return failNode(turn, turn.plan.nodes[container] as LinkedNode, named);
  cancelActive(turn);
  emit(turn, { type: "execution_failed", at: turn.at, failure: named });
}

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

/** A node whose end nobody needs any more, while the execution goes on. */
export function stopNode(turn: Turn, node: LinkedNode): void {
  const { status } = turn.state.nodes[node.index] as NodeState;
  if (status === "pending") {
    emit(turn, { type: "node_skipped", at: turn.at, nodeId: node.id, reason: "not_needed" });
  } else if (isActive(status)) {
    stopBody(turn, node);
    emit(turn, { ...cancellationOf(turn, node), reason: "not_needed" });
  }
}

/** The node's failure for what the core found wrong: it names the node, because it is read without the definition. */
export function describeNodeFault(node: LinkedNode, fault: NodeFault): Failure {
  return { ...fault.failure, message: `node ${node.id}: ${fault.failure.message}` };
}

/** The execution fails by something that is not of one node. */
export function failExecution(turn: Turn, failure: Failure): void {
  cancelActive(turn);
  emit(turn, { type: "execution_failed", at: turn.at, failure: boundFailure(failure) });
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
    if (!isActive((state.nodes[index] as NodeState).status)) continue;
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
