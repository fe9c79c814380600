import { formatTime } from "./format-time.ts";
import type { Schedule, ScheduleState } from "./model.ts";

/** Whether a start has to wait for another one of the schedule. */
export function isOccupied({ spec }: Schedule, state: ScheduleState): boolean {
  return spec.overlap !== "allow" && state.running.length + state.pending.length > 0;
}

/** The place is free: what waited for it follows. */
export function releaseBuffered(schedule: Schedule, state: ScheduleState, nowMs: number): void {
  const { bufferedDueMs } = state;
  if (bufferedDueMs === undefined || isOccupied(schedule, state)) return;
  delete state.bufferedDueMs;
  state.pending.push({ dueMs: bufferedDueMs, sinceMs: nowMs });
}

/** Leaves a start out. */
export function skip(state: ScheduleState, dueMs: number, why: string): void {
  state.skipped += 1;
  state.lastProblem = `the start of ${formatTime(dueMs)} was left out: ${why}`;
}
