import type { GroupNode, LoopNode, PlanNode } from "./plan-node.ts";

/** It has a body. */
export function isContainer(node: PlanNode): node is GroupNode | LoopNode {
  return node.kind === "group" || node.kind === "loop";
}
