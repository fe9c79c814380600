import { forgetOldest } from "./abandoned.ts";
import type { Event } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { NodeState } from "./state.ts";
import { restart } from "./turns.ts";

/** With another try everything of the node begins afresh, and what is inside of it. */
export function evolveResolution(
  plan: Plan,
  state: ExecutionState,
  { index, body }: LinkedNode,
  { resolution, at }: Extract<Event, { type: "incident_resolved" }>,
): void {
  const { activatedBy, ...before } = state.nodes[index] as NodeState;
  if (resolution.action !== "retry") {
    delete (state.nodes[index] as NodeState).fallback;
    return;
  }
  for (const inside of body?.inside ?? []) restart(plan, state, inside);
  restart(plan, state, index);
  forgetOldest(state, at);
  const mended = resolution.input === undefined ? before.mended : resolution.input;
  Object.assign(state.nodes[index] as NodeState, {
    ...(activatedBy !== undefined && { activatedBy }),
    ...(mended !== undefined && { mended }),
  });
  state.unsettled[index] = 0;
  state.ready.push(index);
}
