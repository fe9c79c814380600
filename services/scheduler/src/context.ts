import type { SchedulerState } from "./domain/state.ts";
import type { LinkBrake } from "./link-brake.ts";
import type { Sessions } from "./sessions.ts";
import type { Clock, Turns } from "./turn.ts";

/** What handlers work with, once the service has started. */
export interface SchedulerContext {
  state: SchedulerState;
  clock: Clock;
  turns: Turns;
  sessions: Sessions;
  brake: LinkBrake;
}
