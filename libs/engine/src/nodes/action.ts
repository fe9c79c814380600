import { NodeFault, coreFailure, cutText } from "../failure.ts";
import type { FieldCompiler } from "../field.ts";
import { toText } from "../json-object.ts";
import { MAX_LOG_MESSAGE_LENGTH } from "../limits.ts";
import type { LinkedNode, NodeProgram, Plan } from "../plan.ts";
import type { ActionNode, LoopNode } from "../plan-node.ts";
import type { NodeState, TurnState } from "../state.ts";
import { checkPayload, evaluateField, scopeOf } from "../evaluate.ts";
import { completeNode, completeOrFail, failNode } from "../ends.ts";
import { stopBody } from "../stops.ts";
import { emit } from "../turn.ts";
import { resultSoFar } from "./loop.ts";
import { linkSetAttributes } from "./set-attributes.ts";
import { linkWait, toKey } from "./wait.ts";

type Action<Name extends ActionNode["action"]> = Extract<ActionNode, { action: Name }>;

/** Runs in the engine, in the turn in which it is ready. */
export function linkAction(definition: ActionNode, compiler: FieldCompiler): NodeProgram {
  switch (definition.action) {
    case "set":
      // `evolve` writes the fields of its output to `vars`.
      return linkValue(compiler, "params", definition.params);
    case "set_attributes":
      return linkSetAttributes(definition, compiler);
    case "transform":
      return linkValue(compiler, "params.value", definition.value);
    case "log":
      return linkLog(definition, compiler);
    case "emit":
      return linkEmit(definition, compiler);
    case "fail":
      return linkFail(definition, compiler);
    case "break":
      return linkBreak(definition, compiler);
    case "wait":
      return linkWait(definition, compiler);
  }
}

function linkValue(compiler: FieldCompiler, path: string, template: Action<"transform">["value"]): NodeProgram {
  const value = compiler.template(path, template);
  return { begin: (turn, node) => completeNode(turn, node, evaluateField(value, scopeOf(turn, node))) };
}

/** Its output is the line. */
function linkLog(definition: Action<"log">, compiler: FieldCompiler): NodeProgram {
  const message = compiler.template("params.message", definition.message);
  return {
    begin(turn, node) {
      const line = cutText(toText(evaluateField(message, scopeOf(turn, node))), MAX_LOG_MESSAGE_LENGTH);
      checkPayload(turn, "the message", line);
      emit(turn, { type: "logged", at: turn.at, nodeId: node.id, level: definition.level, message: line });
      completeNode(turn, node, line);
    },
  };
}

/** Its output is the payload. */
function linkEmit(definition: Action<"emit">, compiler: FieldCompiler): NodeProgram {
  const template = compiler.template("params.payload", definition.payload ?? null);
  const keyField = definition.key === undefined ? undefined : compiler.template("params.key", definition.key);
  return {
    begin(turn, node) {
      const payload = evaluateField(template, scopeOf(turn, node));
      const key = keyField && toKey(evaluateField(keyField, scopeOf(turn, node)), "params.key");
      checkPayload(turn, "the payload", payload);
      emit(turn, {
        type: "custom_event_emitted",
        at: turn.at,
        nodeId: node.id,
        name: definition.event,
        ...(key !== undefined && { key }),
        payload,
      });
      completeNode(turn, node, payload);
    },
  };
}

function linkFail(definition: Action<"fail">, compiler: FieldCompiler): NodeProgram {
  const message = compiler.template("params.message", definition.message);
  const errorType = compiler.template("params.type", definition.errorType ?? "failed");
  const details =
    definition.details === undefined ? undefined : compiler.template("params.details", definition.details);
  return {
    begin(turn, node) {
      const scope = scopeOf(turn, node);
      failNode(turn, node, {
        type: toText(evaluateField(errorType, scope)),
        message: toText(evaluateField(message, scope)),
        ...(definition.class === "business" && { business: true }),
        ...(details && { details: evaluateField(details, scope) }),
      });
    },
  };
}

/** Ends the innermost loop; what else goes on in its turn stops. Without a value the loop gives what it has so far. */
function linkBreak(definition: Action<"break">, compiler: FieldCompiler): NodeProgram {
  const template = definition.value === undefined ? undefined : compiler.template("params.value", definition.value);
  return {
    begin(turn, node) {
      const loop = findLoop(turn.plan, node);
      const value = template && evaluateField(template, scopeOf(turn, node));
      if (value !== undefined) checkPayload(turn, "the value", value);
      const { turn: at } = turn.state.nodes[loop.index] as NodeState;
      const output = value ?? resultSoFar(loop.definition as LoopNode, at as TurnState);
      completeNode(turn, node, value ?? null);
      stopBody(turn, loop);
      // Its results may be too large together, and the break has happened: that fails the loop.
      completeOrFail(turn, loop, output);
    },
  };
}

/** The definition service lets no `break` stand outside of a loop. */
function findLoop(plan: Plan, node: LinkedNode): LinkedNode {
  for (let at = node; at.definition.container !== undefined; ) {
    at = plan.nodes[at.definition.container] as LinkedNode;
    if (at.definition.kind === "loop") return at;
  }
  throw new NodeFault(coreFailure("invalid_value", "a break stands in no loop"));
}
