import type { SchedulerState } from "./domain/state.ts";
import type { LinkBrake } from "./link-brake.ts";
import type { Sessions } from "./sessions.ts";
import type { Clock, Turns } from "./turn.ts";

/** What the streams of one shard work with, as long as this replica owns it. */
export interface SchedulerContext {
  readonly shard: number;
  state: SchedulerState;
  clock: Clock;
  turns: Turns;
  sessions: Sessions;
  brake: LinkBrake;
  /** How often links are told that this replica lives; 0 for never. */
  pulseIntervalMs: number;
  /** Whether anything may leave this process: the shard is owned, by a lease that has not run out. */
  maySend(): boolean;
}
