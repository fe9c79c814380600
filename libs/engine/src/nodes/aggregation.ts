import { NodeFault, coreFailure } from "../failure.ts";
import type { FieldCompiler } from "../field.ts";
import { assignFields, describeType, isObject } from "../json-object.ts";
import type { Json, JsonObject } from "../json.ts";
import type { LinkedNode, NodeProgram, Turn } from "../plan.ts";
import type { AggregationNode } from "../plan-node.ts";
import type { NodeState } from "../state.ts";
import { evaluateField, scopeOf } from "../evaluate.ts";
import { completeNode } from "../ends.ts";

/** A value and where it comes from, for messages. */
type Part = [source: string, value: Json];

/** Makes one value of several: an object of all fields, or a list. */
export function linkAggregation(definition: AggregationNode, compiler: FieldCompiler): NodeProgram {
  const inputs = definition.inputs === undefined ? undefined : compiler.template("inputs", definition.inputs);
  return {
    begin(turn, node) {
      const parts = inputs
        ? splitInputs(evaluateField(inputs, scopeOf(turn, node)))
        : listSources(turn, definition.sources);
      completeNode(turn, node, definition.strategy === "merge" ? merge(parts) : parts.map(([, value]) => value));
    },
  };
}

function listSources(turn: Turn, sources: number[]): Part[] {
  const parts: Part[] = [];
  for (const index of sources) {
    const node = turn.state.nodes[index] as NodeState;
    if (node.status === "completed") parts.push([(turn.plan.nodes[index] as LinkedNode).id, node.output as Json]);
  }
  return parts;
}

function splitInputs(value: Json): Part[] {
  if (Array.isArray(value)) return value.map((item, index) => [`inputs[${index}]`, item]);
  if (isObject(value)) return Object.entries(value).map(([name, item]) => [`inputs.${name}`, item]);
  throw new NodeFault(
    coreFailure("invalid_value", `inputs: gave ${describeType(value)}; it must give a list or an object`),
  );
}

/** Later fields win. null is what a skipped node gives in `inputs`: it adds nothing. */
function merge(parts: Part[]): JsonObject {
  const merged: JsonObject = {};
  for (const [source, value] of parts) {
    if (isObject(value)) {
      assignFields(merged, value);
    } else if (value !== null) {
      const message = `cannot merge ${source}: it is ${describeType(value)}, and a merge takes objects; use collect`;
      throw new NodeFault(coreFailure("invalid_value", message));
    }
  }
  return merged;
}
