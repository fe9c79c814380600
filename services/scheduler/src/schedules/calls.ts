import type { ScheduleLimits } from "./limits.ts";
import type { PendingStart, Repeated, Run, ScheduleState } from "./model.ts";

/** What has to be asked of execution. Derived from the state, so that a crash forgets none of it. */
export interface Calls {
  starts: PendingStart[];
  cancels: Run[];
  /** Runs that may have ended unseen. */
  checks: Run[];
}

/**
 * The calls that may be made now. Each is marked as made, to be written before it is made: whatever happens then, a
 * start that may have reached execution is never taken for one that has not.
 */
export function takeCalls(state: ScheduleState, nowMs: number, limits: ScheduleLimits): Calls {
  const take = <Call extends Repeated>(calls: readonly Call[]): Call[] => {
    const due = calls.filter(({ retryAtMs = 0 }) => retryAtMs <= nowMs);
    for (const call of due) {
      call.attempts = (call.attempts ?? 0) + 1;
      call.retryAtMs = nowMs + limits.callTimeoutMs + limits.retryMinMs;
    }
    return due;
  };
  return {
    starts: take(state.pending),
    cancels: take(state.running.filter(({ cancel }) => cancel)),
    checks: take(state.running.filter(({ cancel, unchecked }) => unchecked && !cancel)),
  };
}

/** After a crash or a change of owner: nobody waits for the answers of calls that are under way, and ends may be unseen. */
export function resumeCalls(state: ScheduleState): void {
  for (const pending of state.pending) delete pending.retryAtMs;
  for (const run of state.running) {
    run.unchecked = true;
    delete run.attempts;
    delete run.retryAtMs;
  }
}
