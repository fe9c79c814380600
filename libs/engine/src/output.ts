import { NodeFault } from "./failure.ts";
import { setField } from "./json-object.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import { createScope } from "./scope.ts";
import type { NodeState } from "./state.ts";
import { checkPayload, evaluateField } from "./evaluate.ts";
import { endExecution, failExecution } from "./ends.ts";
import { emit } from "./turn.ts";

/** Every node is settled: the execution completes with its output, or fails when that cannot be made. */
export function completeExecution(turn: Turn): void {
  try {
    const output = makeOutput(turn);
    checkPayload(turn, "the workflow's output", output);
    skipHandlers(turn);
    endExecution(turn, { outcome: "completed", output });
  } catch (error) {
    if (!(error instanceof NodeFault)) throw error;
    failExecution(turn, error.failure);
  }
}

/** It has not failed: what would have run then does not. */
function skipHandlers(turn: Turn): void {
  const { plan, state, at } = turn;
  for (const { definition } of plan.errorHandlers) {
    if (definition.action !== "fallback" || state.nodes[definition.target]?.status !== "pending") continue;
    const { id } = plan.nodes[definition.target] as LinkedNode;
    emit(turn, { type: "node_skipped", at, nodeId: id, reason: "not_needed" });
  }
}

function makeOutput(turn: Turn): Json {
  const { plan, state } = turn;
  if (plan.output) {
    return evaluateField(plan.output, createScope(plan, state, turn.context.executionId, {}));
  }
  return collectOutputs(turn, plan.body.leaves);
}

/** The outputs of the nodes that completed, by id. */
export function collectOutputs(turn: Turn, indices: readonly number[]): JsonObject {
  const outputs: JsonObject = {};
  for (const index of indices) {
    const node = turn.state.nodes[index] as NodeState;
    if (node.status === "completed") setField(outputs, (turn.plan.nodes[index] as LinkedNode).id, node.output as Json);
  }
  return outputs;
}
