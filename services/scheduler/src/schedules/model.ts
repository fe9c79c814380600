import type { JsonObject } from "@heddle/expression";
import type { Timing } from "@heddle/schedule";

/** What somebody wants: the part of a schedule that never changes by itself. Stored as JSON. */
export interface ScheduleSpec {
  /** Workflow to start, in its active version. */
  workflowId: string;
  /** Template over `schedule`. */
  input: JsonObject;
  timing: Timing;
  overlap: Overlap;
  /** 0: nothing is caught up. */
  catchUpWindowMs: number;
  /** 0: no limit. */
  maxStarts: number;
  /** As it was created or declared; whether it is paused now is a matter of its state. */
  paused: boolean;
}

export type Overlap = "skip" | "buffer_one" | "allow" | "cancel_other";

export interface Schedule {
  namespace: string;
  scheduleId: string;
  spec: ScheduleSpec;
}

/** What became of a schedule's times. Stored as JSON, beside when it has to be looked at again. */
export interface ScheduleState {
  paused: boolean;
  /** Times up to this one are dealt with. */
  cursorMs: number;
  /** Starts that are decided, and not known to have happened. Sent until execution answers, always with the same request id. */
  pending: PendingStart[];
  /** Executions that have not ended, as far as is known; none with `allow`. */
  running: Run[];
  /** Time of the start that waits for the end of what runs. */
  bufferedDueMs?: number;
  started: number;
  skipped: number;
  failed: number;
  lastDueMs?: number;
  lastExecutionId?: string;
  /** Why the last start was left out or refused, for people. */
  lastProblem?: string;
}

export interface PendingStart extends Repeated {
  /** Time of the schedule, without jitter: names the start. */
  dueMs: number;
  /** Since when it could have been sent: lateness counts from here. */
  sinceMs: number;
  /** To be canceled as soon as it has started: the next one has come. */
  cancel?: true;
}

export interface Run extends Repeated {
  executionId: string;
  dueMs: number;
  /** To be canceled. */
  cancel?: true;
  /** It may have ended before this was written, and then nobody will say so: execution has to be asked. */
  unchecked?: true;
}

/** A call that is made again until it is answered. */
export interface Repeated {
  attempts?: number;
  /** Not before this time. */
  retryAtMs?: number;
}

/** Nothing has happened yet; times from now on count. */
export function initialState({ paused }: ScheduleSpec, nowMs: number): ScheduleState {
  return { paused, cursorMs: nowMs - 1, pending: [], running: [], started: 0, skipped: 0, failed: 0 };
}
