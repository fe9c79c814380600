import type { FieldCompiler } from "../field.ts";
import type { LinkedNode, NodeProgram, Turn } from "../plan.ts";
import type { TaskNode } from "../plan-node.ts";
import type { NodeState } from "../state.ts";
import { checkPayload, takeInput } from "../evaluate.ts";
import { coreFailure } from "../failure.ts";
import { failNode } from "../ends.ts";
import { emit } from "../turn.ts";

/** Dispatched to a worker. Without `inputs` it gets what flows into it. */
export function linkTask(definition: TaskNode, compiler: FieldCompiler): NodeProgram {
  const inputs = definition.inputs === undefined ? undefined : compiler.template("inputs", definition.inputs);
  return {
    begin(turn, node) {
      const input = takeInput(turn, node, inputs);
      checkPayload(turn, "the input", input);
      emit(turn, { type: "task_scheduled", at: turn.at, nodeId: node.id, attempt: nextAttempt(turn, node), input });
    },
    fire(turn, node) {
      if ((turn.state.nodes[node.index] as NodeState).status === "scheduled") timeOut(turn, node, definition);
      else retry(turn, node);
    },
  };
}

function retry(turn: Turn, node: LinkedNode): void {
  emit(turn, { type: "task_scheduled", at: turn.at, nodeId: node.id, attempt: nextAttempt(turn, node) });
}

/** The time of all attempts is over, and one of them is under way. */
function timeOut(turn: Turn, node: LinkedNode, { totalTimeoutMs }: TaskNode): void {
  const { attempt, attemptsBefore = 0 } = turn.state.nodes[node.index] as NodeState;
  const message = `node ${node.id}: it has not ended within its total_timeout of ${totalTimeoutMs} ms; attempt ${attempt - attemptsBefore} was under way`;
  const failure = coreFailure("total_timeout", message);
  emit(turn, { type: "task_failed", at: turn.at, nodeId: node.id, attempt, failure, stopped: true });
  failNode(turn, node, failure);
}

/** Counted over all turns of a loop. */
function nextAttempt({ state }: Turn, { index }: LinkedNode): number {
  return (state.nodes[index] as NodeState).attempt + 1;
}
