import { type AttributeValue, findAttributesFault, mergeAttributes } from "../attributes.ts";
import { evaluateField, scopeOf } from "../evaluate.ts";
import { NodeFault, coreFailure } from "../failure.ts";
import type { FieldCompiler } from "../field.ts";
import { isObject } from "../json-object.ts";
import type { NodeProgram } from "../plan.ts";
import type { ActionNode } from "../plan-node.ts";
import { completeNode } from "../ends.ts";
import { emit } from "../turn.ts";

/** Sets what the execution is found by. Its output is what it has set. */
export function linkSetAttributes(
  definition: Extract<ActionNode, { action: "set_attributes" }>,
  compiler: FieldCompiler,
): NodeProgram {
  const template = compiler.template("params", definition.params);
  return {
    begin(turn, node) {
      const value = evaluateField(template, scopeOf(turn, node));
      if (!isObject(value)) throw new NodeFault(coreFailure("invalid_value", "params: they are no object"));
      const attributes = value as Record<string, AttributeValue | null>;
      const fault =
        findAttributesFault(value, { allowNull: true }) ??
        findAttributesFault(mergeAttributes(turn.state.attributes, attributes), { allowNull: false });
      if (fault !== undefined) throw new NodeFault(coreFailure("invalid_value", `params: the attributes ${fault}`));
      emit(turn, { type: "attributes_set", at: turn.at, nodeId: node.id, attributes });
      completeNode(turn, node, value);
    },
  };
}
