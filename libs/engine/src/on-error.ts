import type { ErrorOutcome, Failure } from "./events.ts";
import { NodeFault, classOf } from "./failure.ts";
import type { Field } from "./field.ts";
import type { Json } from "./json.ts";
import type { LinkedErrorHandler, LinkedNode, Turn } from "./plan.ts";
import type { FailureClass } from "./error-document.ts";
import type { NodeState } from "./state.ts";
import { checkPayload, evaluateField, scopeOf } from "./evaluate.ts";
import { describeFailure } from "./scope.ts";

/**
 * How to go on after the node's failure: what the first handler says that matches. Undefined when none does, or when it
 * says that the node fails.
 * @throws NodeFault when an expression of a handler cannot be evaluated
 */
function findErrorOutcome(turn: Turn, node: LinkedNode, failure: Failure): ErrorOutcome | undefined {
  // A fallback has failed: what was to be done about it has been done.
  if ((turn.state.nodes[node.index] as NodeState).fallback !== undefined) return undefined;
  const error = describeFailure(failure);
  for (const handler of node.errorHandlers) {
    if (matches(turn, node, handler, failure, error)) return outcomeOf(turn, node, handler, error);
  }
  return undefined;
}

function matches(turn: Turn, node: LinkedNode, handler: LinkedErrorHandler, failure: Failure, error: Json): boolean {
  return matchesFailure(turn, node, { ...handler.definition, when: handler.when }, failure, error);
}

/** Which failures a handler or a rule is about. */
export interface FailureFilter {
  types?: string[];
  class?: FailureClass;
  when?: Field | undefined;
}

/** `node`: whose failure it is; undefined: the execution's. */
export function matchesFailure(
  turn: Turn,
  node: LinkedNode | undefined,
  { types, class: wanted, when }: FailureFilter,
  failure: Failure,
  error: Json,
): boolean {
  if (types !== undefined && !types.includes(failure.type)) return false;
  if (wanted !== undefined && wanted !== classOf(failure)) return false;
  if (when === undefined) return true;
  try {
    return evaluateField(when, scopeOf(turn, node, { error })) === true;
  } catch (fault) {
    if (!(fault instanceof NodeFault)) throw fault;
    // Asked of a failure of another shape, like `error.details.status` of one without details: it is not this one, and its
    // own words must not be lost.
    return false;
  }
}

function outcomeOf(turn: Turn, node: LinkedNode, handler: LinkedErrorHandler, error: Json): ErrorOutcome | undefined {
  const { definition, value } = handler;
  switch (definition.action) {
    case "fail":
      return undefined;
    case "skip":
    case "incident":
      return { action: definition.action };
    case "continue": {
      const output = value === undefined ? null : evaluateField(value, scopeOf(turn, node, { error }));
      checkPayload(turn, "the output", output);
      return { action: "continue", output };
    }
    case "fallback":
      return { action: "fallback", fallbackId: (turn.plan.nodes[definition.target] as LinkedNode).id };
  }
}

/** The handler's own fault takes the place of the failure that it was to handle. */
export function handlingOf(
  turn: Turn,
  node: LinkedNode,
  failure: Failure,
  describe: (fault: NodeFault) => Failure,
): { failure: Failure; outcome?: ErrorOutcome } {
  try {
    const outcome = findErrorOutcome(turn, node, failure);
    return outcome === undefined ? { failure } : { failure, outcome };
  } catch (error) {
    if (!(error instanceof NodeFault)) throw error;
    return { failure: describe(error) };
  }
}
