import type { FieldCompiler } from "../field.ts";
import { flowInto } from "../scope.ts";
import type { LinkedNode, NodeProgram, Turn } from "../plan.ts";
import type { TaskNode } from "../plan-document.ts";
import type { NodeState } from "../state.ts";
import { checkPayload, evaluateField, scopeOf } from "../evaluate.ts";
import { emit } from "../turn.ts";

/** Dispatched to a worker. Without `inputs` it gets what flows into it. */
export function linkTask(definition: TaskNode, compiler: FieldCompiler): NodeProgram {
  const inputs = definition.inputs === undefined ? undefined : compiler.template("inputs", definition.inputs);
  return {
    begin(turn, node) {
      const input = inputs ? evaluateField(inputs, scopeOf(turn, node)) : flowInto(turn.plan, turn.state, node);
      checkPayload(turn, "the input", input);
      emit(turn, { type: "task_scheduled", at: turn.at, nodeId: node.id, attempt: nextAttempt(turn, node), input });
    },
    fire: retry,
  };
}

function retry(turn: Turn, node: LinkedNode): void {
  emit(turn, { type: "task_scheduled", at: turn.at, nodeId: node.id, attempt: nextAttempt(turn, node) });
}

/** Counted over all turns of a loop. */
function nextAttempt({ state }: Turn, { index }: LinkedNode): number {
  return (state.nodes[index] as NodeState).attempt + 1;
}
