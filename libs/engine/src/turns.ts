import { abandon, forgetOldest } from "./abandoned.ts";
import type { Event } from "./events.ts";
import { type ExecutionState, setStatus } from "./execution-state.ts";
import type { Json } from "./json.ts";
import { approximateBytes } from "./payload-size.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import { beginBody } from "./settle.ts";
import type { NodeState } from "./state.ts";

// The turns of a group or loop. There is one at a time, so the nodes of a body have one state each, which begins afresh with
// every turn: a loop of 10,000 turns is as small as one of two.

type TurnStarted = Extract<Event, { type: "turn_started" }>;
type TurnEnded = Extract<Event, { type: "turn_ended" }>;

export function startTurn(plan: Plan, state: ExecutionState, linked: LinkedNode, event: TurnStarted): void {
  const node = state.nodes[linked.index] as NodeState;
  const before = node.turn;
  if (before !== undefined) {
    for (const index of linked.body?.inside ?? []) restart(plan, state, index);
    forgetOldest(state, event.at);
  }
  const items = event.items ?? before?.items;
  if (event.items !== undefined) state.payloadBytes += approximateBytes(event.items);
  if (event.carry !== undefined) state.payloadBytes += approximateBytes(event.carry);
  if (before?.carry !== undefined) state.payloadBytes -= approximateBytes(before.carry);
  node.turn = {
    index: event.turn,
    open: linked.body?.size ?? 0,
    ...(items !== undefined && { items }),
    ...(event.carry !== undefined && { carry: event.carry }),
    ...(before?.result !== undefined && { result: before.result }),
  };
  beginBody(state, linked);
}

export function endTurn(state: ExecutionState, linked: LinkedNode, node: NodeState, { result }: TurnEnded): void {
  const { turn } = node;
  if (turn === undefined) return;
  const { definition } = linked;
  const collects = definition.kind === "loop" && definition.collect;
  state.payloadBytes += approximateBytes(result);
  if (collects) {
    turn.result ??= [];
    (turn.result as Json[]).push(result);
  } else {
    if (turn.result !== undefined) state.payloadBytes -= approximateBytes(turn.result);
    turn.result = result;
  }
  turn.ended = true;
}

/** The node is as it was at the start, but for what must not come twice: the numbers of its attempts and the ids of its children. */
export function restart(plan: Plan, state: ExecutionState, index: number): void {
  const node = state.nodes[index] as NodeState;
  remember(state, plan.nodes[index] as LinkedNode, node);
  state.payloadBytes -= heldBytes(node);
  setStatus(state, node, "pending");
  state.nodes[index] = {
    status: "pending",
    attempt: node.attempt,
    ...(node.attempt > 0 && { attemptsBefore: node.attempt }),
    restarts: (node.restarts ?? 0) + 1,
  };
  state.unsettled[index] = plan.prerequisiteCounts[index] as number;
}

/** A child that was canceled may not have been told yet. */
function remember(state: ExecutionState, linked: LinkedNode, node: NodeState): void {
  const { status, childId, machineId, input, restarts = 0, endedAt } = node;
  if (node.fallback !== undefined || node.isReused) return;
  const isMachine = status === "canceled" && childId === undefined && node.attempt === 0 && input !== undefined;
  if (status !== "canceled" || (childId === undefined && !isMachine)) return;
  const machine = machineId === undefined ? { input } : { machineId };
  abandon(state, linked, {
    node: linked.index,
    restarts,
    ...(endedAt !== undefined && { at: endedAt }),
    ...(childId === undefined ? machine : { childId }),
  });
}

function heldBytes({ input, output, failure, turn, map }: NodeState): number {
  let bytes = 0;
  for (const value of [
    input,
    output,
    failure?.details,
    turn?.items,
    turn?.carry,
    turn?.result,
    Array.isArray(map?.items) ? map.items : undefined,
    map?.outputs,
  ]) {
    if (value !== undefined) bytes += approximateBytes(value);
  }
  return bytes;
}
