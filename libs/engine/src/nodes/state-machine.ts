import type { MachineInput } from "../events.ts";
import { NodeFault, coreFailure } from "../failure.ts";
import type { FieldCompiler } from "../field.ts";
import { describeType, isObject } from "../json-object.ts";
import { MAX_MACHINE_KEY_LENGTH } from "../limits.ts";
import type { NodeProgram } from "../plan.ts";
import type { StateMachineNode } from "../plan-node.ts";
import { checkPayload, evaluateField, scopeOf } from "../evaluate.ts";
import { emit } from "../turn.ts";

/** Creates a state machine, sends it its first events and waits for its end. Its output is the machine's. */
export function linkStateMachine(definition: StateMachineNode, compiler: FieldCompiler): NodeProgram {
  const key = definition.key === undefined ? undefined : compiler.template("key", definition.key);
  const context = definition.context === undefined ? undefined : compiler.template("context", definition.context);
  const events = definition.events.map(({ event, data }, index) => ({
    event,
    data: data === undefined ? undefined : compiler.template(`events[${index}].data`, data),
  }));
  return {
    begin(turn, node) {
      const scope = scopeOf(turn, node);
      const input: MachineInput = {
        ...(key !== undefined && { key: toKey(evaluateField(key, scope)) }),
        context: context === undefined ? {} : toContext(evaluateField(context, scope)),
        events: events.map(({ event, data }) => ({
          event,
          data: data === undefined ? null : evaluateField(data, scope),
        })),
      };
      checkPayload(turn, "the machine's context", input.context);
      for (const { event, data } of input.events) checkPayload(turn, `the data of event ${event}`, data);
      emit(turn, {
        type: "machine_requested",
        at: turn.at,
        nodeId: node.id,
        workflowId: definition.workflowId,
        ...(definition.version !== undefined && { version: definition.version }),
        input,
      });
    },
  };
}

function toKey(value: unknown): string {
  // A number is a key as good as a text: orders are often counted.
  const key = typeof value === "number" ? String(value) : value;
  if (typeof key === "string" && key !== "" && key.length <= MAX_MACHINE_KEY_LENGTH) return key;
  const found = typeof key === "string" ? `a text of ${key.length} characters` : describeType(value as null);
  throw new NodeFault(
    coreFailure(
      "invalid_value",
      `key: the key of a machine is a text of 1 to ${MAX_MACHINE_KEY_LENGTH} characters, and this is ${found}`,
    ),
  );
}

function toContext(value: unknown): MachineInput["context"] {
  if (isObject(value as null)) return value as MachineInput["context"];
  throw new NodeFault(
    coreFailure(
      "invalid_value",
      `context: the context of a machine is an object, and this is ${describeType(value as null)}`,
    ),
  );
}
