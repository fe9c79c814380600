import type { Plan } from "./plan.ts";
import { replayDiverged } from "./refusals.ts";

/**
 * Index in the plan of a node that an event names.
 * @throws DomainError REPLAY_DIVERGED when the plan does not have it
 */
export function indexOfNode(plan: Plan, id: string): number {
  const index = plan.indices.get(id);
  if (index === undefined) throw replayDiverged(`a history names node ${id}, which the plan does not have`);
  return index;
}
