import { durationFromMs, durationMs, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  OverlapPolicySchema,
  type Schedule as ScheduleMessage,
  type ScheduleSchema,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import type { JsonObject } from "../json.ts";
import { enumName, enumValue, plainTime } from "./plain.ts";

/** When a schedule starts its workflow: exactly one of these. */
export type ScheduleTimes =
  /** Five fields, or six with seconds first; `timeZone` is an IANA name, default UTC. */
  | { cron: string; timeZone?: string }
  /** At least a second; counted from the Unix epoch plus the offset. */
  | { intervalMs: number; offsetMs?: number }
  /** Once. */
  | { at: Date };

export type OverlapPolicy = "skip" | "buffer_one" | "allow" | "cancel_other";

interface ScheduleSettings {
  workflowId: string;
  /** Texts may hold `${schedule.due_at}` and `${schedule.id}`. */
  input?: JsonObject;
  times: ScheduleTimes;
  /** Each start is later by a part of this. */
  jitterMs?: number;
  startAt?: Date;
  endAt?: Date;
  maxStarts?: number;
  /** When the start before is still running; default `skip`. */
  overlap?: OverlapPolicy;
  /** How far back missed starts are caught up; default not at all. */
  catchUpWindowMs?: number;
  paused?: boolean;
}

export interface CreateScheduleRequest extends ScheduleSettings {
  scheduleId: string;
  /** Default: a fresh one, so that a repeated call creates it once. */
  requestId?: string;
}

/** Starts executions at given times. */
export interface Schedule
  extends Required<Pick<ScheduleSettings, "workflowId" | "input" | "times" | "overlap" | "paused">> {
  scheduleId: string;
  namespace: string;
  jitterMs: number;
  startAt?: Date;
  endAt?: Date;
  /** 0: no limit. */
  maxStarts: number;
  /** 0: nothing is caught up. */
  catchUpWindowMs: number;
  /** Workflow whose definition declares it; empty for one that a call created. */
  declaredBy: string;
  createdAt?: Date;
  /** Its next times, at most 10; none while it is paused. */
  nextTimes: Date[];
  started: number;
  skipped: number;
  failed: number;
  lastDueAt?: Date;
  /** Empty before the first start. */
  lastExecutionId: string;
  /** Why the last start was left out or refused; empty when it was not. */
  lastProblem: string;
  runningExecutionIds: string[];
  /** Time of the start that waits for the end of a running one. */
  bufferedDueAt?: Date;
}

export function scheduleMessage(
  namespace: string,
  request: CreateScheduleRequest,
): MessageInitShape<typeof ScheduleSchema> {
  const { times, overlap, jitterMs, startAt, endAt, catchUpWindowMs, maxStarts = 0 } = request;
  return {
    namespace,
    scheduleId: request.scheduleId,
    workflowId: request.workflowId,
    input: request.input,
    paused: request.paused,
    maxStarts: BigInt(maxStarts),
    ...timesMessage(times),
    ...(overlap && { overlap: enumValue(OverlapPolicySchema, overlap) }),
    ...(jitterMs && { jitter: durationFromMs(jitterMs) }),
    ...(catchUpWindowMs && { catchUpWindow: durationFromMs(catchUpWindowMs) }),
    ...(startAt && { startAt: timestampFromDate(startAt) }),
    ...(endAt && { endAt: timestampFromDate(endAt) }),
  };
}

function timesMessage(
  times: ScheduleTimes,
): Pick<MessageInitShape<typeof ScheduleSchema>, "spec" | "timeZone" | "offset"> {
  if ("cron" in times) return { spec: { case: "cron", value: times.cron }, timeZone: times.timeZone };
  if ("at" in times) return { spec: { case: "at", value: timestampFromDate(times.at) } };
  return {
    spec: { case: "interval", value: durationFromMs(times.intervalMs) },
    ...(times.offsetMs && { offset: durationFromMs(times.offsetMs) }),
  };
}

export function plainSchedule(message: ScheduleMessage): Schedule {
  const { scheduleId, namespace, workflowId, paused, declaredBy, nextTimes, jitter, catchUpWindow, progress } = message;
  return {
    scheduleId,
    namespace,
    workflowId,
    input: message.input ?? {},
    times: plainTimes(message),
    jitterMs: jitter === undefined ? 0 : durationMs(jitter),
    startAt: plainTime(message.startAt),
    endAt: plainTime(message.endAt),
    maxStarts: Number(message.maxStarts),
    overlap: enumName(OverlapPolicySchema, message.overlap),
    catchUpWindowMs: catchUpWindow === undefined ? 0 : durationMs(catchUpWindow),
    paused,
    declaredBy,
    createdAt: plainTime(message.createdAt),
    nextTimes: nextTimes.map(timestampDate),
    started: Number(progress?.started ?? 0n),
    skipped: Number(progress?.skipped ?? 0n),
    failed: Number(progress?.failed ?? 0n),
    lastDueAt: plainTime(progress?.lastDueAt),
    lastExecutionId: progress?.lastExecutionId ?? "",
    lastProblem: progress?.lastProblem ?? "",
    runningExecutionIds: progress?.runningExecutionIds ?? [],
    bufferedDueAt: plainTime(progress?.bufferedDueAt),
  };
}

function plainTimes({ spec, timeZone, offset }: ScheduleMessage): ScheduleTimes {
  switch (spec.case) {
    case "cron":
      return { cron: spec.value, timeZone: timeZone === "" ? "UTC" : timeZone };
    case "interval":
      return { intervalMs: durationMs(spec.value), ...(offset && { offsetMs: durationMs(offset) }) };
    case "at":
      return { at: timestampDate(spec.value) };
    case undefined:
      throw new TypeError("the server named a schedule with times of a kind that this client does not know");
  }
}
