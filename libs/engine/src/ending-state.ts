import { leavesChildren } from "./close-policy.ts";
import type { CompensationRecord, Event } from "./events.ts";
import type { EndingState, ExecutionState } from "./execution-state.ts";
import { indexOfNode } from "./node-index.ts";
import { approximateBytes } from "./payload-size.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { NodeState } from "./state.ts";
import { restart } from "./turns.ts";

// The end of an execution that has something to do before it ends. Executions without such a thing know nothing of it.

type EventOf<Type extends Event["type"]> = Extract<Event, { type: Type }>;

export function beginEnding(plan: Plan, state: ExecutionState, { end, dueAt }: EventOf<"execution_ending">): void {
  // A cancel is to end it, so it is not held back by a suspension.
  if (end.outcome === "canceled") state.status = "running";
  state.deadlineAt = dueAt;
  const awaited = listStopped(plan, state);
  stopWorkflow(plan, state, { end, ...(Object.keys(awaited).length > 0 && { awaited }) });
}

/** Children that were told to end before: whether they have is not known. One that had completed has told so, if it can be undone. */
export function listStopped(plan: Plan, state: ExecutionState): Record<string, string> {
  const stopped: Record<string, string> = {};
  const completed = new Set(state.compensations?.map(({ childId }) => childId));
  const add = (index: number, childId: string | undefined) => {
    const linked = plan.nodes[index] as LinkedNode;
    if (childId !== undefined && !completed.has(childId) && !leavesChildren(linked)) stopped[childId] = linked.id;
  };
  for (const [index, { status, childId, fallback }] of state.nodes.entries()) {
    if (status === "canceled" && fallback === undefined) add(index, childId);
  }
  for (const { node, childId } of state.abandoned ?? []) add(node, childId);
  return stopped;
}

/** Nothing else begins any more: what runs in the place of everything is all that is left. */
export function beginHandling(
  plan: Plan,
  state: ExecutionState,
  { failure, outcome, dueAt }: EventOf<"execution_error_handled">,
): void {
  state.handledFailure = failure;
  // Its end follows.
  if (outcome.action === "continue") return;
  const index = indexOfNode(plan, outcome.fallbackId);
  state.handling = index;
  state.deadlineAt = dueAt;
  state.ready = [index];
  state.readyHead = 0;
  state.openNodes = 1;
}

/** The execution is there to undo the steps of another one. */
export function beginCompensating(
  plan: Plan,
  state: ExecutionState,
  { at, compensates }: EventOf<"execution_started">,
): void {
  const { cleanupTimeoutMs } = plan.document;
  state.deadlineAt = cleanupTimeoutMs === undefined ? undefined : at + cleanupTimeoutMs;
  state.compensations = [...(compensates?.records ?? [])];
  for (const record of state.compensations) state.payloadBytes += recordBytes(record);
  stopWorkflow(plan, state, { end: { outcome: "completed", output: null } });
}

/** Nothing of the workflow itself begins any more, and what undoes its steps is there. */
function stopWorkflow(plan: Plan, state: ExecutionState, ending: EndingState): void {
  state.ending = ending;
  state.ready = [];
  state.readyHead = 0;
  for (let index = state.nodes.length; index < plan.nodes.length; index++) {
    state.nodes.push({ status: "pending", attempt: 0 });
    state.unsettled.push(0);
    state.counts.pending++;
  }
}

export function recordCompensation(
  state: ExecutionState,
  { type: _, at: __, ...record }: EventOf<"compensation_recorded">,
): void {
  (state.compensations ??= []).push(record);
  state.payloadBytes += recordBytes(record);
}

/** All of it: there is one for each turn of a loop, also where a child has kept what is needed. */
function recordBytes({ nodeId, input = null, childId = "", failure }: CompensationRecord): number {
  const why = failure === undefined ? 0 : failure.message.length + approximateBytes(failure.details ?? null);
  return nodeId.length + childId.length + approximateBytes(input) + why;
}

export function startCompensation(plan: Plan, state: ExecutionState, { index }: LinkedNode): void {
  const ending = state.ending as EndingState;
  const record = state.compensations?.pop();
  if (record !== undefined) state.payloadBytes -= recordBytes(record);
  ending.current = record;
  if (record !== undefined) (state.undone ??= {})[record.nodeId] = true;
  if ((state.nodes[index] as NodeState).status !== "pending") restart(plan, state, index);
  state.ready.push(index);
}

/** A child that is told to end may have something to undo: what its parent undoes comes after that. */
export function awaitChild(plan: Plan, state: ExecutionState, linked: LinkedNode, childId: string | undefined): void {
  if (state.ending === undefined || childId === undefined || linked.role === "compensation") return;
  // What is done at the end stays done, and a child that goes on has no end that anybody waits for.
  if (leavesChildren(linked) || isInFinally(plan, linked)) return;
  (state.ending.awaited ??= {})[childId] = linked.id;
}

function isInFinally(plan: Plan, { definition }: LinkedNode): boolean {
  if (plan.finally === undefined) return false;
  for (let at = definition.container; at !== undefined; at = plan.nodes[at]?.definition.container)
    if (at === plan.finally) return true;
  return false;
}

export function endAwait({ ending }: ExecutionState, childId: string): void {
  if (ending?.awaited === undefined) return;
  delete ending.awaited[childId];
  if (Object.keys(ending.awaited).length === 0) delete ending.awaited;
}

/** What undoes a step, or the group that runs at the end, has failed: the execution ends all the same. */
export function failEndingNode(state: ExecutionState, linked: LinkedNode, { failure }: EventOf<"node_failed">): void {
  if (linked.role === "compensation")
    ((state.ending as EndingState).failed ??= []).push({ nodeId: linked.id, failure });
}

/** Nothing more happens by itself: its end, or the next thing before it, is to be decided. */
export function isConcluding(state: ExecutionState): boolean {
  const { ending, counts, openNodes } = state;
  if (ending === undefined) return openNodes === 0;
  return counts.scheduled + counts.backing_off + counts.waiting === 0 && ending.awaited === undefined;
}
