import { compensationNodeOf, mustCompensate } from "./compensation.ts";
import { isConcluding } from "./ending-state.ts";
import type { CompensationRecord, Failure } from "./events.ts";
import type { EndingState } from "./execution-state.ts";
import { boundFailure, coreFailure } from "./failure.ts";
import type { JsonObject } from "./json.ts";
import { DEFAULT_CLEANUP_TIMEOUT_MS } from "./limits.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import type { NodeState } from "./state.ts";
import { emitEnd } from "./ends.ts";
import { cancelActive } from "./stops.ts";
import { emit } from "./turn.ts";

// The stages of an execution's end: what runs stops, children that were canceled end, the steps that have completed are
// undone, the last one first, then `finally` runs, and the execution ends.

/** Goes on with the end as far as nothing outside is needed. @returns whether anything was decided */
export function advanceEnding(turn: Turn): boolean {
  const { plan, state } = turn;
  const ending = state.ending as EndingState;
  if (!isConcluding(state)) return false;
  if (isStopped(turn)) return runFinally(turn) || conclude(turn);
  if (mustCompensate(plan, state, ending.end.outcome)) {
    const node = compensationNodeOf(plan, state.compensations?.at(-1) as CompensationRecord);
    emit(turn, { type: "compensation_started", at: turn.at, nodeId: (node as LinkedNode).id });
    return true;
  }
  return runFinally(turn) || conclude(turn);
}

/** It ends already, and is to be canceled: whatever holds its end back, it comes in a bounded time. */
export function hastenEnding(turn: Turn, reason: string): void {
  const { state, at } = turn;
  const isBounded = state.deadlineAt !== undefined;
  if (isBounded && state.status !== "suspended") return;
  const dueAt = isBounded ? {} : { dueAt: at + DEFAULT_CLEANUP_TIMEOUT_MS };
  emit(turn, { type: "execution_ending_hastened", at, reason, ...dueAt });
}

/** The time for all of it is over. */
export function cutEnding(turn: Turn): void {
  const { plan, state } = turn;
  const { end, awaited } = state.ending as EndingState;
  const open = isCompensating(turn) || mustCompensate(plan, state, end.outcome) || awaited !== undefined;
  const isLastDue = findLastDue(turn) !== undefined;
  cancelActive(turn);
  if ((!open && !isLastDue) || isStopped(turn)) return void conclude(turn);
  const what = open ? "steps are undone, and not all are" : "the group at the end runs, and it has not begun";
  const message = `the time is over in which ${what}; ${describeEnd(turn)}`;
  const failure = coreFailure("cleanup_timeout", message);
  emitEnd(turn, { outcome: "failed", failure: withEnding(turn, failure) });
}

function runFinally(turn: Turn): boolean {
  const node = findLastDue(turn);
  node?.program.begin(turn, node);
  return node !== undefined;
}

/** The group that runs at the end, when it has not begun. */
function findLastDue({ plan, state }: Turn): LinkedNode | undefined {
  if (plan.finally === undefined || state.compensates !== undefined) return undefined;
  if ((state.nodes[plan.finally] as NodeState).status !== "pending") return undefined;
  return plan.nodes[plan.finally];
}

function conclude(turn: Turn): true {
  const { plan, state } = turn;
  const { end, failed = [] } = state.ending as EndingState;
  const last = plan.finally === undefined ? undefined : state.nodes[plan.finally];
  if (isStopped(turn)) {
    const [first] = failed;
    const message = `${first?.nodeId} has failed: ${first?.failure.message}; ${describeEnd(turn)}`;
    emitEnd(turn, { outcome: "failed", failure: withEnding(turn, coreFailure("compensation_failed", message)) });
  } else if (end.outcome === "completed" && last?.status === "failed") {
    emitEnd(turn, { outcome: "failed", failure: last.failure as Failure });
  } else {
    emitEnd(turn, end);
  }
  return true;
}

/** A step could not be undone, and the definition does not go on with the others then. */
function isStopped({ plan, state }: Turn): boolean {
  return state.ending?.failed !== undefined && plan.document.compensation?.onFailure !== "continue";
}

function isCompensating({ plan, state }: Turn): boolean {
  const current = state.ending?.current;
  const node = current && compensationNodeOf(plan, current);
  const status = node && state.nodes[node.index]?.status;
  return status !== undefined && status !== "completed" && status !== "failed";
}

/** Why it was to end: a failed compensation must not hide that. */
function describeEnd({ state }: Turn): string {
  const { end } = state.ending as EndingState;
  if (end.outcome === "canceled") return `the execution was canceled: ${end.reason}`;
  if (end.outcome === "failed") return `the execution had failed with ${end.failure.type}: ${end.failure.message}`;
  return `the steps of execution ${state.compensates} were to be undone`;
}

/** For programs: what the message tells. */
function withEnding(turn: Turn, failure: Failure): Failure {
  const { state } = turn;
  const { end, failed = [], current } = state.ending as EndingState;
  const left = [...(state.compensations ?? []), ...(isCompensating(turn) && current ? [current] : [])];
  const details: JsonObject = {
    outcome: end.outcome,
    ...(end.outcome === "failed" && { failure: { type: end.failure.type, message: end.failure.message } }),
    compensations: failed
      .slice(0, MAX_TOLD)
      .map(({ nodeId, failure: { type, message } }) => ({ node: nodeId, type, message })),
    not_undone: left.slice(-MAX_TOLD).map(({ nodeId }) => nodeId),
  };
  const [first] = failed;
  return boundFailure({ ...failure, ...(first && { nodeId: first.nodeId }), details });
}

/** Steps that a failure's details name. */
const MAX_TOLD = 20;
