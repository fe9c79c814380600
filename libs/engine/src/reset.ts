import { listAfter } from "./after.ts";
import type { Command } from "./commands.ts";
import { type ExecutionState, isFinished } from "./execution-state.ts";
import { isOwnNode, listUnknown } from "./own-nodes.ts";
import type { Plan, Turn } from "./plan.ts";
import { executionEnding, executionFailureHandled, executionFinished, nodesUnknown } from "./refusals.ts";
import { isRepeated, resetKey } from "./request-keys.ts";
import { type NodeVerdict, becauseOf } from "./run-again.ts";
import type { NodeState } from "./state.ts";
import { cancelAll } from "./stops.ts";
import { emit } from "./turn.ts";

/**
 * Begins some nodes afresh, and everything after them, in the execution itself. One that has ended stays ended, so that
 * whoever was told of the end can rely on it: it is run again by another execution.
 */
export function reset(turn: Turn, { from, reason, requestId }: Extract<Command, { type: "reset" }>): void {
  const { plan, state, at } = turn;
  if (isRepeated(state, resetKey(requestId))) return;
  if (isFinished(state)) throw executionFinished(turn.context.executionId, state.status, "reset");
  if (state.ending !== undefined) throw executionEnding(turn.context.executionId, "reset");
  if (state.handling !== undefined) throw executionFailureHandled(turn.context.executionId, "reset");
  const unknown = listUnknown(plan, from);
  if (unknown.length > 0 || from.length === 0) throw nodesUnknown(unknown);
  const again = [...listAgain(plan, state, from).keys()].sort((a, b) => a - b);
  cancelAll(turn, again);
  const nodeIds = again.map((index) => plan.nodes[index]?.id as string);
  emit(turn, { type: "execution_reset", at, nodeIds, reason, requestId });
}

/** What a reset that begins with these nodes comes to for each node of the workflow itself, in document order. */
export function describeReset(plan: Plan, state: ExecutionState, from: readonly string[]): NodeVerdict[] {
  const again = listAgain(plan, state, from);
  return plan.nodes
    .filter((node) => isOwnNode(plan, node))
    .map((node) => {
      if (!again.has(node.index)) return { nodeId: node.id };
      const cause = again.get(node.index);
      return cause === undefined ? { nodeId: node.id, reason: "named" } : becauseOf(plan, node, cause);
    });
}

function listAgain(plan: Plan, state: ExecutionState, from: readonly string[]) {
  const indices = from.map((id) => plan.indices.get(id) as number);
  return listAfter(plan, indices, (index, inner) => takesBack(plan, state, index, inner));
}

/** It waits for what is in it, and its end is not decided. */
function takesBack(plan: Plan, state: ExecutionState, index: number, inner: number): boolean {
  const { status, fallback, turn } = state.nodes[index] as NodeState;
  if (plan.nodes[inner]?.fallbackOf.includes(index)) return status === "waiting" || fallback !== inner;
  if (status !== "waiting" || fallback !== undefined) return false;
  if (turn !== undefined) return !turn.ended;
  return state.unsettled[index] !== -1;
}
