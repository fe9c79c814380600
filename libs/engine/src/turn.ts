import type { Scope } from "@heddle/expression";
import { evolve } from "./evolve.ts";
import type { Event, Failure } from "./events.ts";
import { type ExecutionState, countActive } from "./execution-state.ts";
import { NodeFault, boundFailure, coreFailure, cutText } from "./failure.ts";
import type { Field } from "./field.ts";
import type { Json } from "./json.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES } from "./limits.ts";
import { findSizeFault } from "./payload-size.ts";
import type { DecideContext, LinkedNode, Plan, Turn } from "./plan.ts";
import { createScope } from "./scope.ts";
import type { NodeState } from "./state.ts";

export function createTurn(plan: Plan, state: ExecutionState, context: DecideContext): Turn {
  return {
    plan,
    state,
    events: [],
    context,
    at: Math.max(context.now, state.updatedAt),
    maxPayloadBytes: context.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES,
  };
}

/** Decides an event: it happens to the state at once, so that what follows is decided on it. */
export function emit(turn: Turn, event: Event): void {
  turn.events.push(event);
  evolve(turn.plan, turn.state, event);
}

/** The scope of a node's expressions. Make one for all fields of a node. */
export function scopeOf(turn: Turn, node: LinkedNode): Scope {
  return createScope(turn.plan, turn.state, turn.context.executionId, node);
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

/** @throws NodeFault with type `payload_too_large` */
export function checkPayload(turn: Turn, what: string, value: Json): void {
  const fault = findSizeFault(value, turn.maxPayloadBytes);
  if (fault !== undefined) throw new NodeFault(coreFailure("payload_too_large", `${what} ${fault}`));
}

/** @throws NodeFault when the output is too large */
export function completeNode(turn: Turn, node: LinkedNode, output: Json, chosen?: string[]): void {
  checkPayload(turn, "the output", output);
  emit(
    turn,
    chosen
      ? { type: "node_completed", at: turn.at, nodeId: node.id, output, chosen }
      : { type: "node_completed", at: turn.at, nodeId: node.id, output },
  );
}

/** The node fails for good, and the execution with it unless the node's failure is tolerated. */
export function failNode(turn: Turn, node: LinkedNode, failure: Failure): void {
  const named = { ...boundFailure(failure), nodeId: node.id };
  emit(turn, { type: "node_failed", at: turn.at, nodeId: node.id, failure: named });
  if (node.tolerated) return;
  cancelActive(turn);
  emit(turn, { type: "execution_failed", at: turn.at, failure: named });
}

/** The node's failure for what the core found wrong: it names the node, because it is read without the definition. */
export function describeNodeFault(node: LinkedNode, fault: NodeFault): Failure {
  return { ...fault.failure, message: `node ${node.id}: ${fault.failure.message}` };
}

/** The execution fails by something that is not of one node. */
export function failExecution(turn: Turn, failure: Failure): void {
  cancelActive(turn);
  emit(turn, { type: "execution_failed", at: turn.at, failure: boundFailure(failure) });
}

/** Stops everything that runs or waits, in document order; the execution's own end must follow. */
export function cancelActive(turn: Turn): void {
  const { plan, state } = turn;
  for (let i = 0; countActive(state) > 0 && i < plan.nodes.length; i++) {
    const { status } = state.nodes[i] as NodeState;
    if (status !== "scheduled" && status !== "backing_off" && status !== "waiting") continue;
    emit(turn, { type: "node_canceled", at: turn.at, nodeId: (plan.nodes[i] as LinkedNode).id });
  }
}
