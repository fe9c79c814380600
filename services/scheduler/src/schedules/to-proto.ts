import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  OverlapPolicy,
  type Schedule as ScheduleMessage,
  ScheduleSchema,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { jitterOf, nextTime, type Timing } from "@heddle/schedule";
import type { ScheduleRow } from "../store/schedules.ts";
import { nextTimesMax } from "./limits.ts";
import type { Overlap } from "./model.ts";

const POLICIES: Record<Overlap, OverlapPolicy> = {
  skip: OverlapPolicy.SKIP,
  buffer_one: OverlapPolicy.BUFFER_ONE,
  allow: OverlapPolicy.ALLOW,
  cancel_other: OverlapPolicy.CANCEL_OTHER,
};

/** A schedule as the contract shows it. */
export function toScheduleMessage(row: ScheduleRow): ScheduleMessage {
  const { namespace, scheduleId, declaredBy, createdAt, spec, state } = row;
  const { timing, catchUpWindowMs, maxStarts } = spec;
  return create(ScheduleSchema, {
    namespace,
    scheduleId,
    workflowId: spec.workflowId,
    input: spec.input,
    spec: specOf(timing),
    timeZone: timing.recurrence.kind === "cron" ? timing.recurrence.timeZone : "",
    offset: timing.recurrence.kind === "interval" ? durationOf(timing.recurrence.offsetMs) : undefined,
    jitter: durationOf(timing.jitterMs),
    startAt: timing.startAtMs === undefined ? undefined : timestampFromMs(timing.startAtMs),
    endAt: timing.endAtMs === undefined ? undefined : timestampFromMs(timing.endAtMs),
    overlap: POLICIES[spec.overlap],
    catchUpWindow: durationOf(catchUpWindowMs),
    maxStarts: BigInt(maxStarts),
    paused: state.paused,
    nextTimes: state.paused ? [] : nextTimes(row).map(timestampFromMs),
    createdAt: timestampFromDate(createdAt),
    declaredBy,
    progress: {
      started: BigInt(state.started),
      skipped: BigInt(state.skipped),
      failed: BigInt(state.failed),
      lastDueAt: state.lastDueMs === undefined ? undefined : timestampFromMs(state.lastDueMs),
      lastExecutionId: state.lastExecutionId ?? "",
      lastProblem: state.lastProblem ?? "",
      runningExecutionIds: state.running.map(({ executionId }) => executionId),
      bufferedDueAt: state.bufferedDueMs === undefined ? undefined : timestampFromMs(state.bufferedDueMs),
    },
  });
}

/** When it will start something, jitter included. */
function nextTimes({ namespace, scheduleId, spec, state }: ScheduleRow): number[] {
  const { timing, maxStarts } = spec;
  const left = maxStarts === 0 ? nextTimesMax : maxStarts - state.started - state.failed - state.pending.length;
  const times: number[] = [];
  let time = nextTime(timing, state.cursorMs);
  while (time !== undefined && times.length < Math.min(nextTimesMax, left)) {
    times.push(time + jitterOf(timing, `${namespace}/${scheduleId}`, time));
    time = nextTime(timing, time);
  }
  return times;
}

function specOf({ recurrence }: Timing): ScheduleMessage["spec"] {
  switch (recurrence.kind) {
    case "cron":
      return { case: "cron", value: recurrence.cron };
    case "interval":
      return { case: "interval", value: durationFromMs(recurrence.intervalMs) };
    case "at":
      return { case: "at", value: timestampFromMs(recurrence.atMs) };
  }
}

/** 0 stands for what is not there. */
function durationOf(ms: number | undefined): ReturnType<typeof durationFromMs> | undefined {
  return ms === undefined || ms === 0 ? undefined : durationFromMs(ms);
}
