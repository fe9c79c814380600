import type { ScheduleLimits } from "./limits.ts";
import type { Repeated, Run, Schedule, ScheduleState } from "./model.ts";
import { formatTime } from "./format-time.ts";
import { releaseBuffered } from "./slots.ts";

/*
 * What happens to a schedule from outside. Each works on a copy that the caller owns, and does nothing when what it is
 * about is no longer there: answers and events may come twice, and late.
 */

/** Execution has taken a start. */
export function startTaken(schedule: Schedule, state: ScheduleState, dueMs: number, executionId: string): void {
  const start = state.pending.find((pending) => pending.dueMs === dueMs);
  if (start === undefined) return;
  state.pending = state.pending.filter((pending) => pending !== start);
  state.started += 1;
  state.lastExecutionId = executionId;
  delete state.lastProblem;
  if (schedule.spec.overlap === "allow") return;
  state.running.push({ executionId, dueMs, unchecked: true, ...(start.cancel && { cancel: true }) });
}

/** Execution will never take it. */
export function startRefused(
  schedule: Schedule,
  state: ScheduleState,
  dueMs: number,
  why: string,
  nowMs: number,
): void {
  const before = state.pending.length;
  state.pending = state.pending.filter((pending) => pending.dueMs !== dueMs);
  if (state.pending.length === before) return;
  state.failed += 1;
  state.lastProblem = `the start of ${formatTime(dueMs)} was refused: ${why}`;
  releaseBuffered(schedule, state, nowMs);
}

/** Execution has not answered, or asked to come back: the same call again, later. */
export function repeatLater(call: Repeated, nowMs: number, limits: ScheduleLimits, atLeastMs = 0): void {
  const failures = call.attempts ?? 1;
  const pauseMs = Math.min(limits.retryMaxMs, limits.retryMinMs * 2 ** Math.min(failures - 1, 20));
  call.retryAtMs = nowMs + Math.max(pauseMs, Math.min(atLeastMs, limits.retryMaxMs));
}

export function executionEnded(schedule: Schedule, state: ScheduleState, executionId: string, nowMs: number): void {
  const before = state.running.length;
  state.running = state.running.filter((run) => run.executionId !== executionId);
  if (state.running.length < before) releaseBuffered(schedule, state, nowMs);
}

/** Execution was asked, and it runs: its end will be told. */
export function foundRunning(state: ScheduleState, executionId: string): void {
  const run = findRun(state, executionId);
  if (run === undefined) return;
  delete run.unchecked;
  delete run.attempts;
  delete run.retryAtMs;
}

export function findRun(state: ScheduleState, executionId: string): Run | undefined {
  return state.running.find((run) => run.executionId === executionId);
}

/** Times that pass while it is paused are not caught up, and a start that waits is dropped. */
export function setPaused(state: ScheduleState, paused: boolean, nowMs: number): void {
  if (state.paused === paused) return;
  state.paused = paused;
  if (!paused) state.cursorMs = Math.max(state.cursorMs, nowMs - 1);
  else if (state.bufferedDueMs !== undefined) {
    state.skipped += 1;
    delete state.bufferedDueMs;
  }
}
