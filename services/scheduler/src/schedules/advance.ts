import { dueTimes, jitterOf, nextTime } from "@heddle/schedule";
import type { ScheduleLimits } from "./limits.ts";
import type { PendingStart, Schedule, ScheduleState } from "./model.ts";
import { isOccupied, releaseBuffered, skip } from "./slots.ts";

export interface Advanced {
  /** With what is due among its `pending`. */
  state: ScheduleState;
  /** When it has to be looked at again, milliseconds since the epoch; undefined: not before something happens to it. */
  wakeAtMs: number | undefined;
}

/** Deals with all times up to now: decides starts and leaves others out. Pure; the same time is dealt with once. */
export function advance(schedule: Schedule, before: ScheduleState, nowMs: number, limits: ScheduleLimits): Advanced {
  const state = structuredClone(before);
  // Somebody has set the clock right. Times that come again are no danger: their starts have the same request ids.
  if (state.cursorMs - nowMs > limits.clockBackMaxMs) state.cursorMs = nowMs;
  giveUpLate(schedule, state, nowMs, limits);
  if (!state.paused) takeDue(schedule, state, nowMs, limits);
  return { state, wakeAtMs: wakeAt(schedule, state) };
}

/** When the next thing is to be done. */
export function wakeAt(schedule: Schedule, state: ScheduleState): number | undefined {
  const next = state.paused || isDone(schedule, state) ? undefined : nextTime(schedule.spec.timing, state.cursorMs);
  const times = [
    ...state.pending.map(({ retryAtMs = 0 }) => retryAtMs),
    ...state.running.filter(({ cancel, unchecked }) => cancel ?? unchecked).map(({ retryAtMs = 0 }) => retryAtMs),
    ...(next === undefined ? [] : [fireTime(schedule, next)]),
  ];
  return times.length === 0 ? undefined : Math.min(...times);
}

function fireTime({ namespace, scheduleId, spec }: Schedule, timeMs: number): number {
  return timeMs + jitterOf(spec.timing, `${namespace}/${scheduleId}`, timeMs);
}

/** All starts that it may have are made or decided. */
function isDone({ spec: { maxStarts } }: Schedule, state: ScheduleState): boolean {
  const buffered = state.bufferedDueMs === undefined ? 0 : 1;
  return maxStarts > 0 && state.started + state.failed + state.pending.length + buffered >= maxStarts;
}

function windowOf({ spec }: Schedule, limits: ScheduleLimits): number {
  return Math.max(spec.catchUpWindowMs, limits.lateGraceMs);
}

/** Starts that execution did not take while they were of use. One that is under way is not given up: it may be taken yet. */
function giveUpLate(schedule: Schedule, state: ScheduleState, nowMs: number, limits: ScheduleLimits): void {
  const windowMs = windowOf(schedule, limits);
  const isLate = ({ sinceMs, retryAtMs = 0 }: PendingStart): boolean =>
    retryAtMs <= nowMs && nowMs - sinceMs > windowMs;
  if (!state.pending.some(isLate)) return;
  for (const { dueMs } of state.pending.filter(isLate)) {
    skip(state, dueMs, "execution could not be reached before its catch-up window was over");
  }
  state.pending = state.pending.filter((start) => !isLate(start));
  releaseBuffered(schedule, state, nowMs);
}

function takeDue(schedule: Schedule, state: ScheduleState, nowMs: number, limits: ScheduleLimits): void {
  const { timing } = schedule.spec;
  const windowMs = windowOf(schedule, limits);
  // A time that is further back than this is missed, however much later its start is than the time.
  const horizonMs = nowMs - windowMs - (timing.jitterMs ?? 0) - 1;
  if (horizonMs > state.cursorMs) {
    const missed = dueTimes(timing, state.cursorMs, horizonMs, limits.catchUpMaxStarts);
    for (const dueMs of missed.times) skip(state, dueMs, "it was missed, and is longer ago than its catch-up window");
    state.cursorMs = horizonMs;
  }
  const due = dueTimes(timing, state.cursorMs, nowMs, limits.catchUpMaxStarts);
  if (due.more)
    state.lastProblem = `more than ${limits.catchUpMaxStarts} starts were missed; only the latest of them follow`;
  for (const dueMs of due.times) {
    const fireMs = fireTime(schedule, dueMs);
    // Jitter never changes the order, so nothing behind it is due either.
    if (fireMs > nowMs || isDone(schedule, state)) return;
    state.cursorMs = dueMs;
    if (nowMs - fireMs > windowMs) skip(state, dueMs, "it was missed, and is longer ago than its catch-up window");
    else decide(schedule, state, { dueMs, sinceMs: fireMs }, limits);
  }
}

/** One time has come. */
function decide(schedule: Schedule, state: ScheduleState, start: PendingStart, limits: ScheduleLimits): void {
  const { dueMs } = start;
  state.lastDueMs = dueMs;
  if (!isOccupied(schedule, state)) {
    if (state.pending.length < limits.catchUpMaxStarts) state.pending.push(start);
    else skip(state, dueMs, `${limits.catchUpMaxStarts} starts before it wait for execution`);
    return;
  }
  switch (schedule.spec.overlap) {
    case "buffer_one":
      if (state.bufferedDueMs === undefined) state.bufferedDueMs = dueMs;
      else skip(state, dueMs, "one start waits already for the end of the one that runs");
      return;
    case "cancel_other":
      cancelOthers(schedule, state, start);
      return;
    default:
      skip(state, dueMs, "the one before was still running");
  }
}

/** What runs is canceled, what was never sent need not be, and the latest start follows when the place is free. */
function cancelOthers(schedule: Schedule, state: ScheduleState, { dueMs, sinceMs }: PendingStart): void {
  if (state.bufferedDueMs !== undefined) skip(state, state.bufferedDueMs, "the next one came before it could begin");
  state.bufferedDueMs = dueMs;
  for (const run of state.running) run.cancel = true;
  for (const pending of state.pending.filter(({ attempts = 0 }) => attempts === 0)) {
    skip(state, pending.dueMs, "the next one came before it could begin");
  }
  state.pending = state.pending.filter(({ attempts = 0 }) => attempts > 0);
  for (const pending of state.pending) pending.cancel = true;
  releaseBuffered(schedule, state, sinceMs);
}
