import type { LinkedNode, Plan } from "./plan.ts";

/** It is part of the workflow itself: neither does it undo a step, nor does it run, or stand in what runs, at the end or for a failure. */
export function isOwnNode(plan: Plan, { role, definition }: LinkedNode): boolean {
  if (role !== undefined) return false;
  const { container } = definition;
  return container === undefined || isOwnNode(plan, plan.nodes[container] as LinkedNode);
}

/** Those of these ids that are of no node of the workflow itself. */
export function listUnknown(plan: Plan, ids: readonly string[]): string[] {
  return ids.filter((id) => {
    const index = plan.indices.get(id);
    return index === undefined || !isOwnNode(plan, plan.nodes[index] as LinkedNode);
  });
}
