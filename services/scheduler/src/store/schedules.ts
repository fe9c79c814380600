import type { Queryable } from "@heddle/store";
import type { Schedule, ScheduleSpec, ScheduleState } from "../schedules/model.ts";

/** A row of `schedules`. */
export interface ScheduleRow extends Schedule {
  /** The workflow whose definition declares it; empty for one that a call created. */
  declaredBy: string;
  /** Idempotency key of the call that created it. */
  requestId: string;
  createdAt: Date;
  state: ScheduleState;
}

export interface ScheduleKey {
  namespace: string;
  scheduleId: string;
}

interface Raw {
  namespace: string;
  schedule_id: string;
  declared_by: string;
  request_id: string;
  created_at: Date;
  spec: ScheduleSpec;
  state: ScheduleState;
}

const COLUMNS = "namespace, schedule_id, declared_by, request_id, created_at, spec, state";

/** False when the id is taken. */
export async function insertSchedule(
  transaction: Queryable,
  row: ScheduleRow,
  wakeAtMs: number | undefined,
): Promise<boolean> {
  const { rowCount } = await transaction.query({
    text: `insert into schedules (namespace, schedule_id, declared_by, workflow_id, request_id, spec, state, wake_at,
        running_ids, created_at)
      values ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, '{}', $9) on conflict do nothing`,
    values: [
      row.namespace,
      row.scheduleId,
      row.declaredBy,
      row.spec.workflowId,
      row.requestId,
      JSON.stringify(row.spec),
      JSON.stringify(row.state),
      dateOf(wakeAtMs),
      row.createdAt,
    ],
  });
  return rowCount > 0;
}

/** Writes what changes: the spec of a declared one, and the state. */
export async function saveSchedule(
  transaction: Queryable,
  { namespace, scheduleId, spec, state }: ScheduleRow,
  wakeAtMs: number | undefined,
): Promise<void> {
  await transaction.query({
    name: "save-schedule",
    text: `update schedules set workflow_id = $3, spec = $4::jsonb, state = $5::jsonb, wake_at = $6, running_ids = $7
      where namespace = $1 and schedule_id = $2`,
    values: [
      namespace,
      scheduleId,
      spec.workflowId,
      JSON.stringify(spec),
      JSON.stringify(state),
      dateOf(wakeAtMs),
      state.running.map(({ executionId }) => executionId),
    ],
  });
}

/** With `forUpdate`, holds the row until the transaction ends. */
export async function findSchedule(
  database: Queryable,
  { namespace, scheduleId }: ScheduleKey,
  { forUpdate = false } = {},
): Promise<ScheduleRow | undefined> {
  const { rows } = await database.query<Raw>({
    text: `select ${COLUMNS} from schedules where namespace = $1 and schedule_id = $2 ${forUpdate ? "for update" : ""}`,
    values: [namespace, scheduleId],
  });
  return rows.map(toRow)[0];
}

/** Those whose runs are among these executions; holds them until the transaction ends. */
export async function lockSchedulesRunning(
  transaction: Queryable,
  executionIds: readonly string[],
): Promise<ScheduleRow[]> {
  const { rows } = await transaction.query<Raw>({
    name: "lock-schedules-running",
    text: `select ${COLUMNS} from schedules where running_ids && $1::text[] order by namespace, schedule_id for update`,
    values: [executionIds],
  });
  return rows.map(toRow);
}

/** Those that the definition of a workflow declares; holds them until the transaction ends. */
export async function lockDeclaredSchedules(
  transaction: Queryable,
  namespace: string,
  workflowId: string,
): Promise<ScheduleRow[]> {
  const { rows } = await transaction.query<Raw>({
    text: `select ${COLUMNS} from schedules where namespace = $1 and declared_by = $2 order by schedule_id for update`,
    values: [namespace, workflowId],
  });
  return rows.map(toRow);
}

/** False when there is none. */
export async function deleteSchedule(transaction: Queryable, key: ScheduleKey): Promise<boolean> {
  const { rowCount } = await transaction.query({
    text: "delete from schedules where namespace = $1 and schedule_id = $2",
    values: [key.namespace, key.scheduleId],
  });
  return rowCount > 0;
}

/** By id, after `afterId`. */
export async function listSchedules(
  database: Queryable,
  namespace: string,
  afterId: string,
  limit: number,
): Promise<ScheduleRow[]> {
  const { rows } = await database.query<Raw>({
    text: `select ${COLUMNS} from schedules where namespace = $1 and schedule_id > $2 order by schedule_id limit $3`,
    values: [namespace, afterId, limit],
  });
  return rows.map(toRow);
}

export async function countSchedules(database: Queryable, namespace: string): Promise<number> {
  const { rows } = await database.query<{ count: string }>({
    text: "select count(*) from schedules where namespace = $1",
    values: [namespace],
  });
  return Number(rows[0]?.count);
}

/** Those that must be looked at, the longest overdue first. */
export async function listDueSchedules(
  database: Queryable,
  namespaces: readonly string[],
  nowMs: number,
  limit: number,
): Promise<ScheduleKey[]> {
  const { rows } = await database.query<Pick<Raw, "namespace" | "schedule_id">>({
    name: "list-due-schedules",
    text: `select namespace, schedule_id from schedules
      where wake_at <= $2 and namespace = any($1::text[]) order by wake_at limit $3`,
    values: [namespaces, new Date(nowMs), limit],
  });
  return rows.map((row) => ({ namespace: row.namespace, scheduleId: row.schedule_id }));
}

/** Those that wait for an answer, or for the end of what they started. */
export async function listUnsettledSchedules(
  database: Queryable,
  namespaces: readonly string[],
): Promise<ScheduleKey[]> {
  const { rows } = await database.query<Pick<Raw, "namespace" | "schedule_id">>({
    text: `select namespace, schedule_id from schedules
      where namespace = any($1::text[]) and (running_ids <> '{}' or jsonb_array_length(state -> 'pending') > 0)`,
    values: [namespaces],
  });
  return rows.map((row) => ({ namespace: row.namespace, scheduleId: row.schedule_id }));
}

export async function nextScheduleWake(
  database: Queryable,
  namespaces: readonly string[],
): Promise<number | undefined> {
  const { rows } = await database.query<{ wake_at: Date | null }>({
    name: "next-schedule-wake",
    text: "select min(wake_at) as wake_at from schedules where wake_at is not null and namespace = any($1::text[])",
    values: [namespaces],
  });
  return rows[0]?.wake_at?.getTime();
}

export async function postponeSchedule(database: Queryable, key: ScheduleKey, untilMs: number): Promise<void> {
  await database.query({
    text: "update schedules set wake_at = $3 where namespace = $1 and schedule_id = $2 and wake_at < $3",
    values: [key.namespace, key.scheduleId, new Date(untilMs)],
  });
}

function toRow(raw: Raw): ScheduleRow {
  const { namespace, spec, state } = raw;
  return {
    namespace,
    scheduleId: raw.schedule_id,
    declaredBy: raw.declared_by,
    requestId: raw.request_id,
    createdAt: raw.created_at,
    spec,
    state,
  };
}

/** Rounded up to what the column keeps: a row must not be due before its time. */
function dateOf(timeMs: number | undefined): Date | null {
  return timeMs === undefined ? null : new Date(Math.ceil(timeMs));
}
