import { leavesChildren } from "./close-policy.ts";
import { checkPayload } from "./evaluate.ts";
import type { ExecutionEnd, Failure } from "./events.ts";
import { mustCompensate, recordOf } from "./compensation.ts";
import { listStopped } from "./ending-state.ts";
import { NodeFault, boundFailure } from "./failure.ts";
import type { Json } from "./json.ts";
import { DEFAULT_CLEANUP_TIMEOUT_MS } from "./limits.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import { executionHandlingOf } from "./execution-handling.ts";
import { handlingOf } from "./on-error.ts";
import type { NodeState } from "./state.ts";
import { cancelActive, stopBody } from "./stops.ts";
import { emit } from "./turn.ts";

// How nodes and executions end, by themselves or by a failure.

/** @throws NodeFault when the output is too large */
export function completeNode(turn: Turn, node: LinkedNode, output: Json, chosen?: string[]): void {
  checkPayload(turn, "the output", output);
  emit(
    turn,
    chosen
      ? { type: "node_completed", at: turn.at, nodeId: node.id, output, chosen }
      : { type: "node_completed", at: turn.at, nodeId: node.id, output },
  );
  if (node.definition.compensate !== undefined) keepCompensation(turn, node);
}

/** The same for an end that something outside has brought about: an output that is too large fails the node. */
export function completeOrFail(turn: Turn, node: LinkedNode, output: Json): void {
  try {
    completeNode(turn, node, output);
  } catch (error) {
    if (!(error instanceof NodeFault)) throw error;
    failNode(turn, node, describeNodeFault(node, error));
  }
}

/** A step has completed by itself: from now on it can be undone. What is done while the execution ends stays done. */
export function keepCompensation(turn: Turn, node: LinkedNode): void {
  const { output, fallback } = turn.state.nodes[node.index] as NodeState;
  if (turn.state.ending !== undefined || fallback !== undefined) return;
  emit(turn, { type: "compensation_recorded", at: turn.at, ...recordOf(turn, node, output ?? null) });
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
  failForGood(turn, node, named);
}

/** No handler of its own is asked any more. */
export function failForGood(turn: Turn, node: LinkedNode, named: Failure): void {
  emit(turn, { type: "node_failed", at: turn.at, nodeId: node.id, failure: named });
  if (node.tolerated) return;
  const { container } = node.definition;
  if (container !== undefined) return failNode(turn, turn.plan.nodes[container] as LinkedNode, named);
  failOrHandle(turn, named);
}

/** The execution is to end this way: at once, unless something must be undone or run before. */
export function endExecution(turn: Turn, end: ExecutionEnd): void {
  const dueAt = cleanupDueAt(turn, end);
  const hasEnding = hasStages(turn, end);
  if (hasEnding) emit(turn, { type: "execution_ending", at: turn.at, end, ...(dueAt !== undefined && { dueAt }) });
  cancelActive(turn);
  if (!hasEnding) emitEnd(turn, end);
}

/** The end itself. */
export function emitEnd(turn: Turn, end: ExecutionEnd): void {
  const { at } = turn;
  switch (end.outcome) {
    case "completed":
      return emit(turn, { type: "execution_completed", at, output: end.output });
    case "failed":
      return emit(turn, { type: "execution_failed", at, failure: end.failure });
    case "canceled":
      return emit(turn, { type: "execution_canceled", at, reason: end.reason });
  }
}

function hasStages({ plan, state }: Turn, { outcome }: ExecutionEnd): boolean {
  if (state.ending !== undefined) return false;
  if (plan.finally !== undefined || mustCompensate(plan, state, outcome)) return true;
  if (!plan.hasCompensation || outcome === "completed") return false;
  // A child that is told to end may have completed already, and then its steps must be undone.
  return (
    state.nodes.some((node, index) => hasChild(node) && !leavesChildren(plan.nodes[index])) ||
    Object.keys(listStopped(plan, state)).length > 0
  );
}

function hasChild({ status, childId, map, fallback }: NodeState): boolean {
  return status === "waiting" && fallback === undefined && (childId !== undefined || (map?.active.length ?? 0) > 0);
}

function cleanupDueAt({ plan, at }: Turn, { outcome }: ExecutionEnd): number | undefined {
  const { cleanupTimeoutMs } = plan.document;
  if (cleanupTimeoutMs !== undefined) return at + cleanupTimeoutMs;
  return outcome === "canceled" ? at + DEFAULT_CLEANUP_TIMEOUT_MS : undefined;
}

/** The node's failure for what the core found wrong: it names the node, because it is read without the definition. */
export function describeNodeFault(node: LinkedNode, fault: NodeFault): Failure {
  return { ...fault.failure, message: `node ${node.id}: ${fault.failure.message}` };
}

/** The execution is to fail by something that is not of one node. */
export function failExecution(turn: Turn, failure: Failure): void {
  failOrHandle(turn, boundFailure(failure));
}

/**
 * The execution is to fail. What it says itself of such a failure comes before everything else: one that is handled ends nothing, so
 * nothing is undone.
 */
function failOrHandle(turn: Turn, failure: Failure): void {
  const { at } = turn;
  const { failure: named, outcome } = executionHandlingOf(turn, failure);
  switch (outcome?.action) {
    case undefined:
      return endExecution(turn, { outcome: "failed", failure: named });
    case "continue":
      emit(turn, { type: "execution_error_handled", at, failure: named, outcome: { action: "continue" } });
      return endExecution(turn, { outcome: "completed", output: outcome.output });
    case "fallback": {
      const { timeoutMs } = turn.plan.document;
      const dueAt = timeoutMs === undefined ? undefined : at + timeoutMs;
      emit(turn, {
        type: "execution_error_handled",
        at,
        failure: named,
        outcome,
        ...(dueAt !== undefined && { dueAt }),
      });
      cancelActive(turn);
    }
  }
}
