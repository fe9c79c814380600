import { NodeFault, coreFailure } from "../failure.ts";
import type { FieldCompiler } from "../field.ts";
import { describeType, isObject } from "../json-object.ts";
import type { NodeProgram } from "../plan.ts";
import type { SubWorkflowNode } from "../plan-node.ts";
import { runName } from "../obligations.ts";
import type { NodeState } from "../state.ts";
import { checkPayload, takeInput } from "../evaluate.ts";
import { emit } from "../turn.ts";

/** Starts an execution of another workflow and waits for its end. Without `inputs` the child gets what flows into the node. */
export function linkSubWorkflow(definition: SubWorkflowNode, compiler: FieldCompiler): NodeProgram {
  const inputs = definition.inputs === undefined ? undefined : compiler.template("inputs", definition.inputs);
  return {
    begin(turn, node) {
      const input = takeInput(turn, node, inputs);
      if (!isObject(input)) {
        const message = `inputs: the input of a workflow is an object, and this is ${describeType(input)}; name it, like { value: ... }`;
        throw new NodeFault(coreFailure("invalid_value", message));
      }
      checkPayload(turn, "the child's input", input);
      emit(turn, {
        type: "child_started",
        at: turn.at,
        nodeId: node.id,
        childId: turn.context.childId(runName(node.id, turn.state.nodes[node.index] as NodeState)),
        workflowId: definition.workflowId,
        ...(definition.version !== undefined && { version: definition.version }),
        input,
      });
    },
  };
}
