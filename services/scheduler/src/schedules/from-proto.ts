import { durationMs, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { DomainError, type FieldViolation } from "@heddle/errors";
import { compileTemplate, ExpressionError, type JsonObject } from "@heddle/expression";
import {
  OverlapPolicy,
  type Schedule as ScheduleMessage,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { findTimingFaults, MAX_INTERVAL_MS, nextTime, type Recurrence, type Timing } from "@heddle/schedule";
import { inputMaxBytes, scheduleIdMaxLength } from "./limits.ts";
import type { Overlap, ScheduleSpec } from "./model.ts";

const OVERLAPS = new Map<OverlapPolicy, Overlap>([
  [OverlapPolicy.UNSPECIFIED, "skip"],
  [OverlapPolicy.SKIP, "skip"],
  [OverlapPolicy.BUFFER_ONE, "buffer_one"],
  [OverlapPolicy.ALLOW, "allow"],
  [OverlapPolicy.CANCEL_OTHER, "cancel_other"],
]);

/** No slash: ids with one belong to schedules that definitions declare. */
const ID = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const WORKFLOW_ID = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/;
/** What a Timestamp may say: from the year 1 to 9999. Nobody checks it on the wire, and no database reads what is beyond. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** Exactly representable, like every other count in JSON. */
const MAX_STARTS = BigInt(Number.MAX_SAFE_INTEGER);

/** What a call wants. @throws DomainError SCHEDULE_INVALID with everything that is wrong with it, field by field */
export function readSchedule(message: ScheduleMessage, nowMs: number): { scheduleId: string; spec: ScheduleSpec } {
  const violations: FieldViolation[] = [];
  const reject = (field: string, description: string): void => {
    violations.push({ field: `schedule.${field}`, description });
  };
  const { scheduleId, workflowId, catchUpWindow, maxStarts } = message;
  if (!ID.test(scheduleId) || scheduleId.length > scheduleIdMaxLength) {
    reject("schedule_id", `a letter or _, then letters, digits, -, _ and ., at most ${scheduleIdMaxLength} characters`);
  }
  if (!WORKFLOW_ID.test(workflowId)) reject("workflow_id", "the id of the workflow to start, e.g. nightly-report");
  const overlap = OVERLAPS.get(message.overlap);
  if (overlap === undefined) reject("overlap", "SKIP, BUFFER_ONE, ALLOW or CANCEL_OTHER");
  const catchUpWindowMs = catchUpWindow === undefined ? 0 : durationMs(catchUpWindow);
  if (!(catchUpWindowMs >= 0 && catchUpWindowMs <= MAX_INTERVAL_MS)) reject("catch_up_window", "from 0 to 366 days");
  if (maxStarts > MAX_STARTS) reject("max_starts", `at most ${MAX_STARTS}`);
  const input: JsonObject = message.input ?? {};
  checkInput(input, reject);
  const timing = readTiming(message, nowMs, reject);
  if (violations.length > 0 || timing === undefined || overlap === undefined) throw invalid(violations);
  const spec = { workflowId, input, timing, overlap, catchUpWindowMs, maxStarts: Number(maxStarts) };
  return { scheduleId, spec: { ...spec, paused: message.paused } };
}

type Reject = (field: string, description: string) => void;

function readTiming(message: ScheduleMessage, nowMs: number, reject: Reject): Timing | undefined {
  const { spec, jitter, startAt, endAt } = message;
  const at = spec.case === "at" ? spec.value : undefined;
  const beyond = Object.entries({ at, start_at: startAt, end_at: endAt }).filter(([, time]) => isBeyondTime(time));
  for (const [field] of beyond) reject(field, "a time from 0001-01-01 to 9999-12-31");
  const recurrence = readRecurrence(message, reject);
  if (recurrence === undefined || beyond.length > 0) return undefined;
  const timing: Timing = {
    recurrence,
    ...(jitter && { jitterMs: durationMs(jitter) }),
    ...(startAt && { startAtMs: timestampMs(startAt) }),
    ...(endAt && { endAtMs: timestampMs(endAt) }),
  };
  const faults = findTimingFaults(timing);
  for (const { field, message: what, remedy } of faults) reject(field, `${what}; use ${remedy}`);
  if (faults.length === 0 && nextTime(timing, nowMs - 1) === undefined) {
    reject(recurrence.kind === "at" ? "at" : "end_at", "all of its times have passed; use later ones");
  }
  return timing;
}

function isBeyondTime(time: Timestamp | undefined): boolean {
  if (time === undefined) return false;
  const ms = timestampMs(time);
  return ms < FIRST_MS || ms > LAST_MS;
}

function readRecurrence({ spec, timeZone, offset }: ScheduleMessage, reject: Reject): Recurrence | undefined {
  if (timeZone !== "" && spec.case !== "cron")
    reject("time_zone", "it is for cron; an interval and a single time have none");
  if (offset !== undefined && spec.case !== "interval") reject("offset", "it is for an interval");
  switch (spec.case) {
    case "cron":
      return { kind: "cron", cron: spec.value, timeZone: timeZone === "" ? "UTC" : timeZone };
    case "interval":
      return { kind: "interval", intervalMs: durationMs(spec.value), offsetMs: offset ? durationMs(offset) : 0 };
    case "at":
      return { kind: "at", atMs: timestampMs(spec.value) };
    case undefined:
      reject("spec", 'one of cron (e.g. "0 2 * * *"), interval (e.g. 900s) and at is needed');
      return undefined;
  }
}

function checkInput(input: JsonObject, reject: Reject): void {
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > inputMaxBytes) return reject("input", `has ${bytes} bytes as JSON; at most ${inputMaxBytes}`);
  try {
    for (const { name, path } of compileTemplate(input).references) {
      const known = name === "schedule" && (path[0] === undefined || path[0] === "id" || path[0] === "due_at");
      if (!known)
        reject("input", `its expressions read \${schedule.id} and \${schedule.due_at}, not ${name}.${path.join(".")}`);
    }
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    reject("input", `${error.message}; a literal \${ is written $\${`);
  }
}

function invalid(violations: FieldViolation[]): DomainError {
  const listed = violations.slice(0, 3).map(({ field, description }) => `${field}: ${description}`);
  return new DomainError({
    kind: "invalid_argument",
    reason: "SCHEDULE_INVALID",
    message: `the schedule cannot be kept: ${listed.join("; ")}`,
    violations,
  });
}
