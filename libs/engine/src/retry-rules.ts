import type { Failure } from "./events.ts";
import type { FieldCompiler } from "./field.ts";
import { matchesFailure } from "./on-error.ts";
import type { LinkedNode, LinkedRetryRule, Turn } from "./plan.ts";
import type { PlanNode, RetryPolicy } from "./plan-node.ts";
import { describeFailure } from "./scope.ts";

export function linkRetryRules(definition: PlanNode, compiler: FieldCompiler): LinkedRetryRule[] {
  if (definition.kind !== "task") return [];
  return (definition.retry.rules ?? []).map((rule, at) => ({
    definition: rule,
    ...(rule.when !== undefined && { when: compiler.expression(`retry.rules[${at}].when`, rule.when) }),
  }));
}

/**
 * How the failure of the task is retried: as the first rule says that matches, else as the policy itself does. Undefined
 * when it is not: a business exception is an answer, and the same question would get the same one, unless a rule says that
 * it is worth asking again.
 */
export function findRetryPolicy(turn: Turn, node: LinkedNode, failure: Failure): RetryPolicy | undefined {
  const { definition } = node;
  if (definition.kind !== "task") return undefined;
  const { retry } = definition;
  const error = describeFailure(failure);
  for (const rule of node.retryRules) {
    const filter = { ...rule.definition, when: rule.when };
    if (matchesFailure(turn, node, filter, failure, error))
      return { ...rule.definition, nonRetryable: retry.nonRetryable };
  }
  return failure.business === true ? undefined : retry;
}
