import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "@heddle/expression";
import type { DeclaredSchedule, DeclaredTrigger } from "@heddle/proto/heddle/definition/v1/declared_start_pb.js";
import type { Recurrence, Timing } from "@heddle/schedule";
import type { Queryable } from "@heddle/store";
import {
  deleteSchedule,
  insertSchedule,
  lockDeclaredSchedules,
  saveSchedule,
  type ScheduleRow,
} from "../store/schedules.ts";
import { replaceTriggers, type TriggerRow } from "../store/triggers.ts";
import { wakeAt } from "./advance.ts";
import { initialState, type Overlap, type ScheduleSpec } from "./model.ts";
import { setPaused } from "./outcomes.ts";

/** What the active version of a workflow declares; nothing after the definition was deleted. */
export interface Declaration {
  namespace: string;
  workflowId: string;
  schedules: readonly DeclaredSchedule[];
  triggers: readonly DeclaredTrigger[];
}

/** Puts what a workflow declares now in the place of what it declared before. What has not changed keeps its state. */
export async function replaceDeclared(transaction: Queryable, declaration: Declaration, nowMs: number): Promise<void> {
  const { namespace, workflowId } = declaration;
  const before = await lockDeclaredSchedules(transaction, namespace, workflowId);
  const known = new Map(before.map((row) => [row.scheduleId, row]));
  for (const declared of declaration.schedules) {
    const scheduleId = `${workflowId}/${declared.id}`;
    const spec = specOf(workflowId, declared);
    const row = known.get(scheduleId);
    known.delete(scheduleId);
    if (row === undefined) {
      const added: ScheduleRow = {
        namespace,
        scheduleId,
        declaredBy: workflowId,
        requestId: "",
        createdAt: new Date(nowMs),
        spec,
        state: initialState(spec, nowMs),
      };
      await insertSchedule(transaction, added, wakeAt(added, added.state));
    } else if (change(row, spec, nowMs)) {
      await saveSchedule(transaction, row, wakeAt(row, row.state));
    }
  }
  for (const row of known.values()) await deleteSchedule(transaction, row);
  await replaceTriggers(
    transaction,
    namespace,
    workflowId,
    declaration.triggers.flatMap((trigger) => triggerOf(namespace, workflowId, trigger, nowMs) ?? []),
  );
}

/** @returns whether it did change */
function change(row: ScheduleRow, spec: ScheduleSpec, nowMs: number): boolean {
  const before = row.spec;
  if (canonical(before) === canonical(spec)) return false;
  row.spec = spec;
  // Other times begin now; a pause that somebody has made by hand stays until the definition says something new about it.
  if (canonical(before.timing) !== canonical(spec.timing)) row.state.cursorMs = Math.max(row.state.cursorMs, nowMs - 1);
  if (before.paused !== spec.paused) setPaused(row.state, spec.paused, nowMs);
  return true;
}

const OVERLAPS = new Set<string>(["skip", "buffer_one", "allow", "cancel_other"]);

function specOf(workflowId: string, declared: DeclaredSchedule): ScheduleSpec {
  const { jitter, startAt, endAt, maxStarts, overlap, catchUpWindow, inputJson, paused } = declared;
  const timing: Timing = {
    recurrence: recurrenceOf(declared),
    ...(startAt && { startAtMs: timestampMs(startAt) }),
    ...(endAt && { endAtMs: timestampMs(endAt) }),
    ...(jitter && { jitterMs: durationMs(jitter) }),
  };
  return {
    workflowId,
    input: inputOf(inputJson),
    timing,
    // A newer definition service may know more of them: the careful one then.
    overlap: OVERLAPS.has(overlap) ? (overlap as Overlap) : "skip",
    catchUpWindowMs: catchUpWindow === undefined ? 0 : durationMs(catchUpWindow),
    maxStarts: Number(maxStarts),
    paused,
  };
}

function recurrenceOf({ id, spec, timeZone, offset }: DeclaredSchedule): Recurrence {
  switch (spec.case) {
    case "cron":
      return { kind: "cron", cron: spec.value, timeZone: timeZone === "" ? "UTC" : timeZone };
    case "interval":
      return { kind: "interval", intervalMs: durationMs(spec.value), offsetMs: offset ? durationMs(offset) : 0 };
    case "at":
      return { kind: "at", atMs: timestampMs(spec.value) };
    case undefined:
      throw new Error(`the schedule ${id} has times of a kind that this release does not know`);
  }
}

/** undefined for a source that this release does not know: the others work all the same. */
function triggerOf(
  namespace: string,
  workflowId: string,
  { id, source, filter, inputJson }: DeclaredTrigger,
  nowMs: number,
): TriggerRow | undefined {
  if (source.case !== "executionEnd") return undefined;
  return {
    namespace,
    workflowId,
    triggerId: id,
    sourceWorkflowId: source.value.workflowId,
    spec: { statuses: [...source.value.statuses], filter, input: inputOf(inputJson) },
    declaredAt: new Date(nowMs),
  };
}

function inputOf(json: string): JsonObject {
  return json === "" ? {} : (JSON.parse(json) as JsonObject);
}

/** JSON of objects from a column has its fields in another order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
