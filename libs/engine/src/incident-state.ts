import type { IncidentResolution } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import type { Json } from "./json.ts";
import type { LinkedNode, Plan, Turn } from "./plan.ts";
import type { NodeState } from "./state.ts";
import { restart } from "./turns.ts";

/** What the person gave who had the node tried again. */
export function mendedInput({ state }: Turn, { index }: LinkedNode): Json | undefined {
  return state.nodes[index]?.mended;
}

/** With another try everything of the node begins afresh, and what is inside of it. */
export function evolveResolution(
  plan: Plan,
  state: ExecutionState,
  { index, body }: LinkedNode,
  resolution: IncidentResolution,
): void {
  const { activatedBy, ...before } = state.nodes[index] as NodeState;
  if (resolution.action !== "retry") {
    delete (state.nodes[index] as NodeState).fallback;
    return;
  }
  for (const inside of body?.inside ?? []) restart(plan, state, inside);
  restart(plan, state, index);
  const mended = resolution.input ?? before.mended;
  Object.assign(state.nodes[index] as NodeState, {
    ...(activatedBy !== undefined && { activatedBy }),
    ...(mended !== undefined && { mended }),
  });
  state.unsettled[index] = 0;
  state.ready.push(index);
}
