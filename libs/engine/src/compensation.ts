import type { CompensationRecord } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import { NodeFault } from "./failure.ts";
import type { Json } from "./json.ts";
import type { LinkedNode, Plan, Turn } from "./plan.ts";
import type { NodeState } from "./state.ts";
import { checkPayload, evaluateField, scopeOf } from "./evaluate.ts";

/**
 * What is kept of a step that has completed, so that it can be undone exactly: the input is made now, since what it reads may
 * be gone by then (a loop's next turn begins afresh). A fault does not fail the step, which has happened: it is kept, and
 * met again when the step is to be undone.
 */
export function recordOf(turn: Turn, node: LinkedNode, output: Json): CompensationRecord {
  const nodeId = node.id;
  try {
    const input = node.compensationInput ? evaluateInput(turn, node, output) : output;
    checkPayload(turn, "the input of its compensation", input);
    return { nodeId, input };
  } catch (error) {
    if (!(error instanceof NodeFault)) throw error;
    return { nodeId, failure: error.failure };
  }
}

function evaluateInput(turn: Turn, node: LinkedNode, output: Json): Json {
  const { attempt } = turn.state.nodes[node.index] as NodeState;
  // Of a child that was told to end and had completed, the output is nowhere else.
  const step = { output, status: "completed", attempt, error: null };
  return evaluateField(node.compensationInput!, scopeOf(turn, node, { current: output, [node.id]: step }));
}

/** Whether there are steps to undo when the execution ends this way. */
export function mustCompensate(
  plan: Plan,
  state: ExecutionState,
  outcome: "completed" | "failed" | "canceled",
): boolean {
  if (state.compensations === undefined || state.compensations.length === 0) return false;
  if (state.compensates !== undefined) return true;
  if (outcome === "canceled") return plan.document.compensation?.onCancel !== false;
  return outcome === "failed";
}

/** The node that undoes the step of a record. */
export function compensationNodeOf(plan: Plan, { nodeId }: CompensationRecord): LinkedNode | undefined {
  const index = plan.indices.get(nodeId);
  const compensation = index === undefined ? undefined : plan.nodes[index]?.compensation;
  return compensation === undefined ? undefined : plan.nodes[compensation];
}
