import { awaitsChild, findChildPlace } from "./awaits-child.ts";
import type { Command } from "./commands.ts";
import type { Failure, ItemEnd } from "./events.ts";
import type { NodeState } from "./state.ts";
import { NodeFault, boundFailure } from "./failure.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import { childNotAwaited, taskNotRunning } from "./refusals.ts";
import { findRetryDelay } from "./retry.ts";
import { findRetryPolicy } from "./retry-rules.ts";
import type { TaskNode } from "./plan-node.ts";
import { checkPayload } from "./evaluate.ts";
import { endAwaitedChild, keepChildCompensation, keepLateCompletion } from "./child-compensation.ts";
import { completeOrFail, describeNodeFault, failNode, keepCompensation } from "./ends.ts";
import { emit } from "./turn.ts";

type CommandOf<Type extends Command["type"]> = Extract<Command, { type: Type }>;

// What workers and children report. A result counts if the node waits for exactly this attempt or child.

export function completeTask(turn: Turn, command: CommandOf<"complete_task">): void {
  const { nodeId, attempt, output, startedAt, worker } = command;
  const node = getRunningTask(turn, nodeId, attempt);
  const fault = catchFault(node, () => checkPayload(turn, "the output", output));
  if (fault) {
    failAttempt(turn, node, { ...command, failure: { ...fault, retryable: false } });
  } else {
    emit(turn, { type: "task_completed", at: turn.at, nodeId, attempt, output, startedAt, worker });
    if (node.definition.compensate !== undefined) keepCompensation(turn, node);
  }
}

export function failTask(turn: Turn, command: CommandOf<"fail_task">): void {
  failAttempt(turn, getRunningTask(turn, command.nodeId, command.attempt), command);
}

export function completeChild(turn: Turn, command: CommandOf<"complete_child">): void {
  if (endAwaitedChild(turn, command) || keepLateCompletion(turn, command)) return;
  const item = findItem(turn, command);
  if (item !== undefined) {
    keepChildCompensation(turn, item.node, command);
    return endItem(turn, item, () => ({ outcome: "succeeded", output: command.output }));
  }
  const node = getAwaitingNode(turn, command.nodeId, command.childId);
  keepChildCompensation(turn, node, command);
  completeOrFail(turn, node, command.output);
}

export function failChild(turn: Turn, command: CommandOf<"fail_child">): void {
  if (endAwaitedChild(turn, command)) return;
  const item = findItem(turn, command);
  if (item !== undefined) {
    return endItem(turn, item, () => ({ outcome: "failed", failure: boundFailure(command.failure) }));
  }
  failNode(turn, getAwaitingNode(turn, command.nodeId, command.childId), command.failure);
}

interface Item {
  node: LinkedNode;
  index: number;
}

/** The item of a map that the child is, if it is one that runs. */
function findItem({ plan, state }: Turn, { nodeId, childId }: { nodeId: string; childId: string }): Item | undefined {
  const place = findChildPlace(plan, nodeId);
  if (place?.item === undefined) return undefined;
  if (!awaitsChild(plan, state, nodeId, childId)) throw childNotAwaited(nodeId, childId);
  return { node: plan.nodes[place.node] as LinkedNode, index: place.item };
}

/** A fault on the way, of a payload or an expression, is the map's failure. */
function endItem(turn: Turn, { node, index }: Item, endOf: () => Exclude<ItemEnd, { outcome: "canceled" }>): void {
  const fault = catchFault(node, () => {
    const end = endOf();
    if (end.outcome === "succeeded") checkPayload(turn, "the item's output", end.output);
    node.program.itemEnded?.(turn, node, index, end);
  });
  if (fault) failNode(turn, node, fault);
}

interface FailedAttemptReport {
  attempt: number;
  failure: Failure;
  startedAt?: number;
  worker?: string;
}

/** Another attempt follows, or the node fails. */
function failAttempt(turn: Turn, node: LinkedNode, report: FailedAttemptReport): void {
  const { attempt, startedAt, worker } = report;
  const failure = boundFailure(report.failure);
  const delayMs = retryDelay(turn, node, attempt, failure);
  emit(turn, {
    type: "task_failed",
    at: turn.at,
    nodeId: node.id,
    attempt,
    failure,
    ...(delayMs !== undefined && { retryAt: turn.at + delayMs }),
    ...(startedAt !== undefined && { startedAt }),
    ...(worker !== undefined && { worker }),
  });
  if (delayMs === undefined) failNode(turn, node, failure);
}

function retryDelay(turn: Turn, node: LinkedNode, attempt: number, failure: Failure): number | undefined {
  const policy = findRetryPolicy(turn, node, failure);
  if (policy === undefined) return undefined;
  const { attemptsBefore = 0, startedAt = turn.at } = turn.state.nodes[node.index] as NodeState;
  return findRetryDelay(policy, failure, {
    executionId: turn.context.executionId,
    nodeId: node.id,
    attempt,
    attemptsBefore,
    elapsedMs: turn.at - startedAt,
    totalTimeoutMs: (node.definition as TaskNode).totalTimeoutMs,
  });
}

/** @throws DomainError TASK_NOT_RUNNING */
function getRunningTask(turn: Turn, nodeId: string, attempt: number): LinkedNode {
  const index = turn.plan.indices.get(nodeId);
  const state = index === undefined ? undefined : turn.state.nodes[index];
  if (index === undefined || state?.status !== "scheduled" || state.attempt !== attempt) {
    throw taskNotRunning(nodeId, attempt, state);
  }
  return turn.plan.nodes[index] as LinkedNode;
}

/** @throws DomainError CHILD_NOT_AWAITED */
function getAwaitingNode(turn: Turn, nodeId: string, childId: string): LinkedNode {
  if (!awaitsChild(turn.plan, turn.state, nodeId, childId)) throw childNotAwaited(nodeId, childId);
  return turn.plan.nodes[turn.plan.indices.get(nodeId) as number] as LinkedNode;
}

function catchFault(node: LinkedNode, run: () => void): Failure | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof NodeFault) return describeNodeFault(node, error);
    throw error;
  }
}
