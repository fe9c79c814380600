import type { Scope } from "@heddle/expression";
import type { Failure } from "./events.ts";
import { NodeFault, coreFailure, cutText } from "./failure.ts";
import type { Field } from "./field.ts";
import { describeType } from "./json-object.ts";
import type { Json } from "./json.ts";
import { findSizeFault } from "./payload-size.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import { createScope, flowInto } from "./scope.ts";
import type { NodeState, TurnState } from "./state.ts";

/**
 * The scope of a node's expressions, or, without a node, of the workflow's own. Make one for all fields of a node. `names`: what it sees
 * besides.
 */
export function scopeOf(turn: Turn, node: LinkedNode | undefined, names?: Readonly<Record<string, Json>>): Scope {
  return createScope(turn.plan, turn.state, turn.context.executionId, { node, names });
}

/** What the expressions of a group or loop see that are evaluated around a turn. `at`: another turn than the state's. */
export function bodyScopeOf(turn: Turn, node: LinkedNode, at?: TurnState): Scope {
  return createScope(turn.plan, turn.state, turn.context.executionId, { node, inBody: at ?? true });
}

/** What a node gets: what a person gave who had it tried again, its `inputs`, or what flows into it. */
export function takeInput(turn: Turn, node: LinkedNode, inputs: Field | undefined): Json {
  const { mended } = turn.state.nodes[node.index] as NodeState;
  if (mended !== undefined) return mended;
  return inputs ? evaluateField(inputs, scopeOf(turn, node)) : flowInto(turn.plan, turn.state, node);
}

/** @throws NodeFault with type `expression` that names the field and the expression */
export function evaluateField(field: Field, scope: Scope): Json {
  try {
    return field.evaluate(scope);
  } catch (error) {
    throw new NodeFault(describeFault(field, scope, error));
  }
}

function describeFault(field: Field, scope: Scope, error: unknown): Failure {
  const { path, source } = field.findFault(scope) ?? { path: field.path, source: "" };
  const hint = error instanceof Error && "hint" in error && typeof error.hint === "string" ? `; ${error.hint}` : "";
  const message = error instanceof Error ? error.message : String(error);
  return coreFailure("expression", `${path}: ${message}${hint} (in \`${cutText(source, 256)}\`)`);
}

/** @throws NodeFault with type `expression` unless it is true or false. `what`: of which the value is. */
export function requireBoolean(value: Json, path: string, what = "the condition"): boolean {
  if (typeof value === "boolean") return value;
  throw new NodeFault(
    coreFailure("expression", `${path}: ${what} gave ${describeType(value)}; it must give true or false`),
  );
}

/** @throws NodeFault with type `payload_too_large` */
export function checkPayload(turn: Turn, what: string, value: Json): void {
  const fault = findSizeFault(value, turn.maxPayloadBytes);
  if (fault !== undefined) throw new NodeFault(coreFailure("payload_too_large", `${what} ${fault}`));
}
