import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import {
  type CreateScheduleRequest,
  type CreateScheduleResponse,
  CreateScheduleResponseSchema,
  type DeleteScheduleRequest,
  type DeleteScheduleResponse,
  DeleteScheduleResponseSchema,
  type GetScheduleRequest,
  type GetScheduleResponse,
  GetScheduleResponseSchema,
  type ListSchedulesRequest,
  type ListSchedulesResponse,
  ListSchedulesResponseSchema,
  type PauseScheduleRequest,
  type PauseScheduleResponse,
  PauseScheduleResponseSchema,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { type Database, decodePageToken, encodePageToken } from "@heddle/store";
import { wakeAt } from "../schedules/advance.ts";
import { readSchedule } from "../schedules/from-proto.ts";
import { initialState } from "../schedules/model.ts";
import { setPaused } from "../schedules/outcomes.ts";
import { changeSchedule } from "../schedules/schedule-queue.ts";
import type { Scheduling } from "../schedules/scheduling.ts";
import { toScheduleMessage } from "../schedules/to-proto.ts";
import {
  countSchedules,
  deleteSchedule as removeSchedule,
  findSchedule,
  insertSchedule,
  listSchedules as readSchedules,
  type ScheduleKey,
  type ScheduleRow,
} from "../store/schedules.ts";

/** Any replica answers: what they change is a row, and its owner is told. */
export interface ScheduleCallContext {
  database: Database;
  scheduling: Scheduling;
}

const DEFAULT_PAGE_SIZE = 100;

export async function createSchedule(
  { database, scheduling }: ScheduleCallContext,
  { schedule, requestId }: CreateScheduleRequest,
): Promise<CreateScheduleResponse> {
  // The rule of the proto has refused a request without it.
  if (schedule === undefined) throw new Error("CreateSchedule came without a schedule");
  const nowMs = scheduling.now();
  const namespace = namespaceOf(schedule);
  const { scheduleId, spec } = readSchedule(schedule, nowMs);
  const row: ScheduleRow = {
    namespace,
    scheduleId,
    declaredBy: "",
    requestId,
    createdAt: new Date(nowMs),
    spec,
    state: initialState(spec, nowMs),
  };
  const stored = await database.transaction(async (transaction) => {
    const existing = await findSchedule(transaction, row);
    if (existing !== undefined) return sameRequest(existing, requestId);
    const count = await countSchedules(transaction, namespace);
    const most = scheduling.limits.schedulesPerNamespaceMax;
    if (count >= most) throw tooMany(namespace, count, most);
    // Somebody else was quicker by less than this transaction took.
    if (!(await insertSchedule(transaction, row, wakeAt(row, row.state)))) throw scheduleExists(row);
    await scheduling.notices.tell(transaction, "changed");
    return row;
  });
  await scheduling.changed();
  return create(CreateScheduleResponseSchema, { schedule: toScheduleMessage(stored) });
}

export async function getSchedule(
  { database }: ScheduleCallContext,
  request: GetScheduleRequest,
): Promise<GetScheduleResponse> {
  const key = keyOf(request);
  const row = await findSchedule(database, key);
  if (row === undefined) throw scheduleNotFound(key);
  return create(GetScheduleResponseSchema, { schedule: toScheduleMessage(row) });
}

export async function listSchedules(
  { database }: ScheduleCallContext,
  request: ListSchedulesRequest,
): Promise<ListSchedulesResponse> {
  const filter = { namespace: namespaceOf(request) };
  const after = request.pageToken === "" ? "" : decodePageToken<string>(request.pageToken, filter);
  const pageSize = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
  const rows = await readSchedules(database, filter.namespace, after, pageSize + 1);
  const page = rows.slice(0, pageSize);
  const last = page.at(-1);
  return create(ListSchedulesResponseSchema, {
    schedules: page.map(toScheduleMessage),
    nextPageToken: rows.length > pageSize && last !== undefined ? encodePageToken(last.scheduleId, filter) : "",
  });
}

export async function pauseSchedule(
  { database, scheduling }: ScheduleCallContext,
  request: PauseScheduleRequest,
): Promise<PauseScheduleResponse> {
  const key = keyOf(request);
  const row = await changeSchedule(database, key, async (current, transaction) => {
    setPaused(current.state, request.paused, scheduling.now());
    await scheduling.notices.tell(transaction, "changed");
    return current;
  });
  if (row === undefined) throw scheduleNotFound(key);
  await scheduling.changed();
  return create(PauseScheduleResponseSchema, { schedule: toScheduleMessage(row) });
}

export async function deleteSchedule(
  { database, scheduling }: ScheduleCallContext,
  request: DeleteScheduleRequest,
): Promise<DeleteScheduleResponse> {
  const key = keyOf(request);
  await database.transaction(async (transaction) => {
    const row = await findSchedule(transaction, key, { forUpdate: true });
    if (row === undefined) throw scheduleNotFound(key);
    if (row.declaredBy !== "") throw declaredElsewhere(row);
    await removeSchedule(transaction, key);
    await scheduling.notices.tell(transaction, "changed");
  });
  await scheduling.changed();
  return create(DeleteScheduleResponseSchema);
}

function namespaceOf({ namespace }: { namespace: string }): string {
  return namespace === "" ? "default" : namespace;
}

function keyOf(request: { namespace: string; scheduleId: string }): ScheduleKey {
  return { namespace: namespaceOf(request), scheduleId: request.scheduleId };
}

function sameRequest(existing: ScheduleRow, requestId: string): ScheduleRow {
  if (requestId !== "" && existing.requestId === requestId) return existing;
  throw scheduleExists(existing);
}

function scheduleExists({ namespace, scheduleId }: ScheduleKey): DomainError {
  return new DomainError({
    kind: "already_exists",
    reason: "SCHEDULE_EXISTS",
    message: `namespace ${namespace} has a schedule ${scheduleId} already; delete it first, or use another id`,
    metadata: { namespace, schedule_id: scheduleId },
  });
}

function scheduleNotFound({ namespace, scheduleId }: ScheduleKey): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "SCHEDULE_NOT_FOUND",
    message: `namespace ${namespace} has no schedule ${scheduleId}; ListSchedules shows those that there are`,
    metadata: { namespace, schedule_id: scheduleId },
  });
}

function declaredElsewhere({ namespace, scheduleId, declaredBy }: ScheduleRow): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "SCHEDULE_DECLARED",
    message: `the definition of ${declaredBy} declares the schedule ${scheduleId}: publish a version without it, or pause it`,
    metadata: { namespace, schedule_id: scheduleId, workflow_id: declaredBy },
  });
}

function tooMany(namespace: string, count: number, most: number): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: "TOO_MANY_SCHEDULES",
    message: `namespace ${namespace} has ${count} schedules; ${most} are allowed: delete some, or use another namespace`,
    metadata: { namespace },
  });
}
