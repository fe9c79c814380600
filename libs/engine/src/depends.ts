import type { ExecutionState } from "./execution-state.ts";
import { itemCountsOf } from "./item-counts.ts";
import type { Dependence, Outcome } from "./plan-node.ts";
import type { NodeState, NodeStatus } from "./state.ts";

/** Which outcome a settled status is. */
const OUTCOMES: Partial<Record<NodeStatus, Outcome>> = {
  completed: "succeeded",
  failed: "failed",
  skipped: "skipped",
  canceled: "canceled",
};

/**
 * Whether a condition over outcomes holds, by Kleene's logic of three values: undefined while nodes that are not settled
 * can still decide it.
 */
export function evaluateDependence(state: ExecutionState, condition: Dependence): boolean | undefined {
  if ("not" in condition) {
    const value = evaluateDependence(state, condition.not);
    return value === undefined ? undefined : !value;
  }
  if ("node" in condition) {
    const node = state.nodes[condition.node] as NodeState;
    const outcome = OUTCOMES[node.status];
    if (outcome === undefined) return undefined;
    const items = itemCountsOf(node);
    if (condition.outcome === "any_succeeded") return items !== undefined && items.succeeded > 0;
    if (condition.outcome === "all_failed") return items !== undefined && items.failed === items.count;
    return condition.outcome === "settled" || condition.outcome === outcome;
  }
  const [parts, decisive] = "all" in condition ? [condition.all, false] : [condition.any, true];
  let isKnown = true;
  for (const part of parts) {
    const value = evaluateDependence(state, part);
    if (value === decisive) return decisive;
    if (value === undefined) isKnown = false;
  }
  return isKnown ? !decisive : undefined;
}
