import { DomainError } from "@heddle/errors";
import { evolve } from "./evolve.ts";
import type { Event } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES } from "./limits.ts";
import type { DecideContext, Plan, Turn } from "./plan.ts";

export function createTurn(plan: Plan, state: ExecutionState, context: DecideContext): Turn {
  return {
    plan,
    state,
    events: [],
    context,
    at: Math.max(context.now, state.updatedAt),
    maxPayloadBytes: context.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES,
  };
}

/**
 * Decides an event: it happens to the state at once, so that what follows is decided on it.
 * @throws Error when it cannot follow. That is a defect and no refusal: what the decision has changed before is there already, and whoever
 * keeps the state must forget it.
 */
export function emit(turn: Turn, event: Event): void {
  turn.events.push(event);
  try {
    evolve(turn.plan, turn.state, event);
  } catch (cause) {
    if (!(cause instanceof DomainError)) throw cause;
    throw new Error(`an event was decided that cannot follow: ${cause.message}`, { cause });
  }
}
