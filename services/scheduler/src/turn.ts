import { admitAll } from "./domain/deliver.ts";
import type { Outbox } from "./domain/model.ts";
import type { SchedulerState } from "./domain/state.ts";
import { needsTicks, resumeTicks, tick } from "./domain/time.ts";

/** Whole milliseconds since the Unix epoch. Must never go back: leases and time-outs are measured with it. */
export interface Clock {
  now(): number;
}

/** The time of day at the start, carried on by a clock that nobody can set: a corrected system clock ends no lease. */
export const monotonicClock: Clock = { now: () => Math.floor(performance.timeOrigin + performance.now()) };

/** Runs what the streams have put into the state: admission once per turn of the event loop, time once per tick. */
export interface Turns {
  /** Something has changed. What can be delivered is delivered, and what waits for a stream is sent, in this turn. */
  request(): void;
  stop(): void;
}

export interface TurnsOptions {
  state: SchedulerState;
  clock: Clock;
  /** False while the lease on the shard has run out: nothing is delivered then, no time passes, and what waits stays. */
  maySend: () => boolean;
  /** Called at the end of each turn. */
  onTurn: () => void;
}

export function createTurns({ state, clock, maySend, onTurn }: TurnsOptions): Turns {
  let requested: NodeJS.Immediate | undefined;
  let ticking: NodeJS.Timeout | undefined;
  let stopped = false;

  function run(): void {
    requested = undefined;
    if (!maySend()) return;
    admitAll(state, clock.now());
    const filled: Outbox[] = [...state.filled];
    state.filled.clear();
    for (const outbox of filled) outbox.wake();
    if (ticking === undefined && needsTicks(state)) startTicking();
    onTurn();
  }

  function startTicking(): void {
    resumeTicks(state, clock.now());
    ticking = setInterval(() => {
      if (!maySend()) return;
      tick(state, clock.now());
      if (needsTicks(state)) return run();
      clearInterval(ticking);
      ticking = undefined;
      run();
    }, state.limits.timerResolutionMs);
  }

  return {
    // After the frames that have arrived together: one frame of tasks then answers all of them, without any delay.
    request() {
      if (!stopped) requested ??= setImmediate(run);
    },
    // Streams that end because of it still ask for turns: none may start a timer again.
    stop() {
      stopped = true;
      clearImmediate(requested);
      clearInterval(ticking);
      requested = undefined;
      ticking = undefined;
    },
  };
}
