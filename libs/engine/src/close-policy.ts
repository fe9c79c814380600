import { findChildPlace } from "./awaits-child.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { ParentClosePolicy, PlanNode } from "./plan-node.ts";

// What becomes of children whose node stops waiting for them, because the execution ends or for any other reason.

/** Absent: `cancel`. Nodes that start no children have none. */
export function closePolicyOf(definition: PlanNode | undefined): ParentClosePolicy {
  if (definition?.kind !== "sub_workflow" && definition?.kind !== "map") return "cancel";
  return definition.onParentClose ?? "cancel";
}

/** Of a child by the name that its parent has given it. */
export function findClosePolicy(plan: Plan, nodeId: string): ParentClosePolicy {
  const place = findChildPlace(plan, nodeId);
  return closePolicyOf(place && plan.nodes[place.node]?.definition);
}

/** Its children go on: nobody tells them anything, or waits for their end. */
export function leavesChildren(linked: LinkedNode | undefined): boolean {
  return closePolicyOf(linked?.definition) === "leave";
}
