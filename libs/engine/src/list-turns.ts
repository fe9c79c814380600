import type { ExecutionState } from "./execution-state.ts";
import type { LinkedNode, Plan } from "./plan.ts";

/** Where a loop stands. */
export interface TurnNumber {
  /** Id of the loop. */
  nodeId: string;
  /** From 1. */
  turn: number;
}

/** The turns of the loops that the node stands in, the outermost first. */
export function listTurns(plan: Plan, state: ExecutionState, { definition }: LinkedNode): TurnNumber[] {
  const turns: TurnNumber[] = [];
  for (let at = definition.container; at !== undefined; ) {
    const container = plan.nodes[at] as LinkedNode;
    const { turn } = state.nodes[at] ?? {};
    if (container.definition.kind === "loop" && turn !== undefined) {
      turns.unshift({ nodeId: container.id, turn: turn.index + 1 });
    }
    at = container.definition.container;
  }
  return turns;
}
