import { checkPayload, evaluateField, scopeOf } from "./evaluate.ts";
import type { ExecutionErrorOutcome, Failure } from "./events.ts";
import { NodeFault, boundFailure, classOf } from "./failure.ts";
import type { FieldCompiler } from "./field.ts";
import { toText } from "./json-object.ts";
import type { Json } from "./json.ts";
import { matchesFailure } from "./on-error.ts";
import type { LinkedNode, LinkedWorkflowHandler, Turn } from "./plan.ts";
import type { FailureTemplate } from "./error-document.ts";
import type { PlanDocument } from "./plan-document.ts";
import { describeFailure } from "./scope.ts";

/** How an execution goes on that was to fail, with what it completes with. */
export type ExecutionHandling =
  | { action: "continue"; output: Json }
  | Extract<ExecutionErrorOutcome, { action: "fallback" }>;

/**
 * What the workflow's own handlers say of a failure that no node has handled: how the execution goes on, or with which failure it ends.
 * They are asked once: what fails because of them, or while the execution ends, is not asked about again. A handler's own fault takes the
 * place of the failure.
 */
export function executionHandlingOf(turn: Turn, failure: Failure): { failure: Failure; outcome?: ExecutionHandling } {
  const { plan, state } = turn;
  if (state.ending !== undefined || state.handledFailure !== undefined) return { failure };
  const error = describeFailure(failure);
  const handler = plan.errorHandlers.find(({ definition, when }) =>
    matchesFailure(turn, undefined, { ...definition, when }, failure, error),
  );
  if (handler === undefined) return { failure };
  try {
    return handle(turn, handler, failure, error);
  } catch (fault) {
    if (!(fault instanceof NodeFault)) throw fault;
    return { failure: fault.failure };
  }
}

function handle(
  turn: Turn,
  handler: LinkedWorkflowHandler,
  failure: Failure,
  error: Json,
): { failure: Failure; outcome?: ExecutionHandling } {
  const { definition, value } = handler;
  switch (definition.action) {
    case "fail":
      return {
        failure: definition.failure === undefined ? failure : change(turn, handler, definition.failure, failure),
      };
    case "continue": {
      const output = value === undefined ? null : evaluateField(value, scopeOf(turn, undefined, { error }));
      checkPayload(turn, "the workflow's output", output);
      return { failure, outcome: { action: "continue", output } };
    }
    case "fallback": {
      const { id } = turn.plan.nodes[definition.target] as LinkedNode;
      return { failure, outcome: { action: "fallback", fallbackId: id } };
    }
  }
}

/** The failure in the workflow's own words. It is still told which node has failed. */
function change(turn: Turn, { failure: fields }: LinkedWorkflowHandler, template: FailureTemplate, failure: Failure) {
  const scope = scopeOf(turn, undefined, { error: describeFailure(failure) });
  const isBusiness = (template.class ?? classOf(failure)) === "business";
  const { business: _, ...rest } = failure;
  return boundFailure({
    ...rest,
    ...(isBusiness && { business: true }),
    ...(fields?.type && { type: toText(evaluateField(fields.type, scope)) }),
    ...(fields?.message && { message: toText(evaluateField(fields.message, scope)) }),
    ...(fields?.details && { details: evaluateField(fields.details, scope) }),
  });
}

export function linkExecutionHandlers(
  { onError = [] }: PlanDocument,
  compiler: FieldCompiler,
): LinkedWorkflowHandler[] {
  return onError.map((definition, at) => {
    const path = `on_error[${at}]`;
    return {
      definition,
      ...(definition.when !== undefined && { when: compiler.expression(`${path}.when`, definition.when) }),
      ...(definition.action === "continue" && { value: compiler.template(`${path}.continue`, definition.value) }),
      ...(definition.action === "fail" &&
        definition.failure !== undefined && { failure: linkFailure(definition.failure, `${path}.fail`, compiler) }),
    };
  });
}

function linkFailure({ type, message, details }: FailureTemplate, path: string, compiler: FieldCompiler) {
  return {
    ...(type !== undefined && { type: compiler.template(`${path}.type`, type) }),
    ...(message !== undefined && { message: compiler.template(`${path}.message`, message) }),
    ...(details !== undefined && { details: compiler.template(`${path}.details`, details) }),
  };
}
