import { leavesChildren } from "./close-policy.ts";
import type { Command } from "./commands.ts";
import { recordOf } from "./compensation.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import { emit } from "./turn.ts";

type ChildEnd = Extract<Command, { type: "complete_child" | "fail_child" }>;

/** A child has completed with steps that it could undo: its parent may have them undone later. */
export function keepChildCompensation(turn: Turn, node: LinkedNode, { childId, compensable }: ChildCompletion): void {
  // What the parent itself says about undoing the child goes before. What is done while it ends stays done.
  if (!compensable || node.definition.compensate !== undefined || turn.state.ending !== undefined) return;
  emit(turn, { type: "compensation_recorded", at: turn.at, nodeId: node.id, childId });
}

type ChildCompletion = Extract<Command, { type: "complete_child" }>;

/**
 * A child that was canceled as the execution was to end has ended; if it had completed before, it is undone like every step.
 * @returns whether the execution waits for it
 */
export function endAwaitedChild(turn: Turn, command: ChildEnd): boolean {
  const { plan, state } = turn;
  const { childId } = command;
  const nodeId = state.ending?.awaited?.[childId];
  if (nodeId === undefined) return false;
  emit(turn, { type: "child_ended", at: turn.at, nodeId, childId });
  const node = plan.nodes[plan.indices.get(nodeId) as number] as LinkedNode;
  if (command.type === "complete_child") keepAwaited(turn, node, command);
  return true;
}

/**
 * A child has completed although it was told to end, while the execution goes on: nobody needs its output, but its steps have happened.
 * @returns whether it is such a child
 */
export function keepLateCompletion(turn: Turn, command: ChildCompletion): boolean {
  const { plan, state } = turn;
  const { childId } = command;
  if (!command.compensable || state.ending !== undefined || state.endedAt !== undefined) return false;
  const nodeId = command.nodeId.replace(/\[\d+\]$/, "");
  const node = plan.nodes[plan.indices.get(nodeId) ?? -1];
  const nodeState = node && state.nodes[node.index];
  // A child that goes on by itself is nobody's to undo.
  if (nodeState === undefined || node === undefined || leavesChildren(node)) return false;
  const isCanceled =
    (nodeState.status === "canceled" && nodeState.childId === childId) ||
    state.abandoned?.some((past) => past.childId === childId) === true;
  if (!isCanceled) return false;
  const isKnown = state.compensations?.some((record) => record.childId === childId);
  if (!isKnown) keepChildCompensation(turn, node, command);
  return true;
}

function keepAwaited(turn: Turn, node: LinkedNode, { childId, output, compensable }: ChildCompletion): void {
  const { at } = turn;
  const nodeId = node.id;
  // A map is undone as a whole by what it says itself, and it has not completed.
  if (node.definition.compensate !== undefined) {
    if (node.definition.kind === "sub_workflow")
      emit(turn, { type: "compensation_recorded", at, ...recordOf(turn, node, output) });
  } else if (compensable) {
    emit(turn, { type: "compensation_recorded", at, nodeId, childId });
  }
}
