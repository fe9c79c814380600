import { NodeFault, coreFailure } from "../failure.ts";
import type { FieldCompiler } from "../field.ts";
import { collectOutputs } from "../output.ts";
import type { NodeProgram } from "../plan.ts";
import type { GroupNode } from "../plan-node.ts";
import { bodyScopeOf, evaluateField } from "../evaluate.ts";
import { completeNode } from "../ends.ts";
import { emit } from "../turn.ts";

/** Runs its body once; what fails in it fails the group. */
export function linkGroup(definition: GroupNode, compiler: FieldCompiler): NodeProgram {
  const output = definition.output === undefined ? undefined : compiler.template("output", definition.output);
  const { timeoutMs } = definition;
  return {
    begin(turn, node) {
      emit(turn, {
        type: "turn_started",
        at: turn.at,
        nodeId: node.id,
        turn: 0,
        ...(timeoutMs !== undefined && { dueAt: turn.at + timeoutMs }),
      });
    },
    join(turn, node) {
      completeNode(
        turn,
        node,
        output ? evaluateField(output, bodyScopeOf(turn, node)) : collectOutputs(turn, node.body?.leaves ?? []),
      );
    },
    fire() {
      throw new NodeFault(coreFailure("timeout", `it has not ended within its timeout of ${timeoutMs} ms`));
    },
  };
}
