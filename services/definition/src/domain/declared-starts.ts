import { create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { PlanSchedule, PlanStarts, PlanTrigger } from "@heddle/language";
import {
  type DeclaredSchedule,
  DeclaredScheduleSchema,
  type DeclaredTrigger,
  DeclaredTriggerSchema,
} from "@heddle/proto/heddle/definition/v1/declared_start_pb.js";

/** What a version declares, as the event of its activation tells it: whoever starts executions need not ask for the plan. */
export function toDeclaredStarts({ schedules = [], triggers = [] }: PlanStarts): {
  schedules: DeclaredSchedule[];
  triggers: DeclaredTrigger[];
} {
  return { schedules: schedules.map(toSchedule), triggers: triggers.map(toTrigger) };
}

function toSchedule({
  id,
  timing,
  maxStarts,
  overlap,
  catchUpWindowMs,
  input,
  paused,
}: PlanSchedule): DeclaredSchedule {
  const { recurrence, startAtMs, endAtMs, jitterMs } = timing;
  return create(DeclaredScheduleSchema, {
    id,
    spec: specOf(recurrence),
    timeZone: recurrence.kind === "cron" ? recurrence.timeZone : "",
    offset: recurrence.kind === "interval" && recurrence.offsetMs > 0 ? durationFromMs(recurrence.offsetMs) : undefined,
    jitter: durationOf(jitterMs),
    startAt: timestampOf(startAtMs),
    endAt: timestampOf(endAtMs),
    maxStarts: BigInt(maxStarts ?? 0),
    overlap: overlap ?? "",
    catchUpWindow: durationOf(catchUpWindowMs),
    inputJson: input === undefined ? "" : JSON.stringify(input),
    paused: paused ?? false,
  });
}

function specOf(recurrence: PlanSchedule["timing"]["recurrence"]): DeclaredSchedule["spec"] {
  switch (recurrence.kind) {
    case "cron":
      return { case: "cron", value: recurrence.cron };
    case "interval":
      return { case: "interval", value: durationFromMs(recurrence.intervalMs) };
    case "at":
      return { case: "at", value: timestampFromMs(recurrence.atMs) };
  }
}

function toTrigger({ id, source, filter, input }: PlanTrigger): DeclaredTrigger {
  const { workflowId, statuses } = source;
  return create(DeclaredTriggerSchema, {
    id,
    source: { case: "executionEnd", value: { workflowId, statuses } },
    filter: filter ?? "",
    inputJson: input === undefined ? "" : JSON.stringify(input),
  });
}

function durationOf(ms: number | undefined): Duration | undefined {
  return ms === undefined ? undefined : durationFromMs(ms);
}

function timestampOf(ms: number | undefined): Timestamp | undefined {
  return ms === undefined ? undefined : timestampFromMs(ms);
}
