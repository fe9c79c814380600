import type { Command } from "./commands.ts";
import { evaluateField, scopeOf } from "./evaluate.ts";
import type { BusEvent } from "./events.ts";
import { type ExecutionState, isFinished } from "./execution-state.ts";
import { NodeFault } from "./failure.ts";
import type { JsonObject } from "./json.ts";
import { completeWait } from "./nodes/wait.ts";
import type { LinkedNode, Plan, Turn } from "./plan.ts";
import { eventNotAwaited, executionFinished } from "./refusals.ts";
import type { NodeState } from "./state.ts";
import { takenName } from "./taken-events.ts";
import { formatTimestamp } from "./timestamp.ts";
import { emit } from "./turn.ts";

/** A node that waits for an event of another execution. */
export interface EventWait {
  nodeId: string;
  /** How often the node had begun afresh when its wait began. */
  run: number;
  event: string;
  /** Absent: events of all keys. */
  key?: string;
}

/** Gives an event to the node that waits for it: also while suspended, like any result. */
export function takeEvent(turn: Turn, command: Extract<Command, { type: "deliver_event" }>): void {
  const { plan, state } = turn;
  const { nodeId, run, event } = command;
  if (isFinished(state)) throw executionFinished(turn.context.executionId, state.status, "deliver an event to");
  const index = plan.indices.get(nodeId);
  const node = index === undefined ? undefined : state.nodes[index];
  if (index === undefined || node === undefined || !isWaiting(node) || (node.restarts ?? 0) !== run) {
    throw eventNotAwaited(nodeId, event.id);
  }
  if (node.event !== event.name || (node.signalKey !== undefined && node.signalKey !== event.key)) {
    throw eventNotAwaited(nodeId, event.id);
  }
  if (state.takenEvents?.includes(takenName(index, event.id))) return;
  const linked = plan.nodes[index] as LinkedNode;
  const described = describeEvent(event);
  if (!passes(turn, linked, described)) return;
  emit(turn, { type: "event_received", at: turn.at, nodeId, event });
  completeWait(turn, linked, described);
}

/** What waits for events: all of it, for recovery. Looks at all nodes. */
export function listEventWaits(plan: Plan, state: ExecutionState): EventWait[] {
  if (isFinished(state)) return [];
  return plan.nodes.flatMap((linked) => findEventWait(plan, state, linked.id) ?? []);
}

/** What the node waits for, if that is an event. */
export function findEventWait(plan: Plan, state: ExecutionState, nodeId: string): EventWait | undefined {
  const index = plan.indices.get(nodeId);
  const node = index === undefined ? undefined : state.nodes[index];
  if (node?.event === undefined || !isWaiting(node)) return undefined;
  const { event, signalKey: key, restarts: run = 0 } = node;
  return { nodeId, run, event, ...(key !== undefined && { key }) };
}

function isWaiting({ status, event, fallback }: NodeState): boolean {
  return status === "waiting" && event !== undefined && fallback === undefined;
}

/** An event of another shape than the filter expects does not pass: it must not fail whoever waits for others. */
function passes(turn: Turn, node: LinkedNode, event: JsonObject): boolean {
  const { eventFilter } = node;
  if (eventFilter === undefined) return true;
  try {
    return evaluateField(eventFilter, scopeOf(turn, node, { event })) === true;
  } catch (fault) {
    if (!(fault instanceof NodeFault)) throw fault;
    return false;
  }
}

function describeEvent({ id, name, key, payload, executionId, workflowId, occurredAt }: BusEvent): JsonObject {
  return {
    id,
    name,
    key: key ?? null,
    payload,
    execution_id: executionId === "" ? null : executionId,
    workflow_id: workflowId === "" ? null : workflowId,
    occurred_at: formatTimestamp(occurredAt),
  };
}
