import type { ExecutionState } from "./execution-state.ts";
import type { Plan } from "./plan.ts";
import type { PlanNode } from "./plan-node.ts";
import type { NodeState, NodeStatus } from "./state.ts";

/** One line of the table of an execution's nodes. */
export interface NodeSummary extends NodeState {
  nodeId: string;
  kind: PlanNode["kind"];
}

/** All nodes in document order. The values are the state's own: do not write to them. */
export function listNodes(plan: Plan, state: ExecutionState): NodeSummary[] {
  // What undoes steps is there only when it must be.
  return plan.nodes.slice(0, state.nodes.length).map(({ id, index, definition }) => ({
    ...(state.nodes[index] as NodeState),
    nodeId: id,
    kind: definition.kind,
  }));
}

/** How many nodes have each status. */
export function countNodes(state: ExecutionState): Record<NodeStatus, number> {
  return { ...state.counts };
}
