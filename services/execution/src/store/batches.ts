import type { JsonObject } from "@heddle/engine";
import { idTime } from "@heddle/journal";
import { BatchStatus } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import type { Database, Queryable } from "@heddle/store";
import { type ExecutionFilter, filterSql } from "./list-executions.ts";

export interface BatchRow {
  batch_id: string;
  partition: number;
  namespace: string;
  request_id: string;
  spec: JsonObject;
  status: number;
  reason: string;
  canary_passed: boolean;
  matched: string;
  succeeded: string;
  failed: string;
  skipped: string;
  created_at: Date;
  ended_at: Date | null;
}

const SELECT = `select batch_id, partition, namespace, request_id, spec, status, reason, canary_passed, matched, succeeded, failed,
  skipped, created_at, ended_at from batches`;

/** Executions that an operation can be about: beside the filter, a condition on their status. */
export interface TargetFilter {
  filter: ExecutionFilter;
  need: TargetNeed;
}

/** Gives SQL over `executions`. `parameter` takes a value and names it. */
export type TargetNeed = (parameter: (value: unknown) => string) => string;

function targetSql({ filter, need }: TargetFilter, values: unknown[]): string {
  const condition = filterSql(filter, values);
  return `${condition} and ${need((value) => `$${values.push(value)}`)}`;
}

export async function countTargets(
  database: Queryable,
  target: TargetFilter,
): Promise<{ status: number; count: number }[]> {
  const values: unknown[] = [];
  const { rows } = await database.query<{ status: number; count: number }>({
    text: `select status, count(*)::integer as count from executions where ${targetSql(target, values)}
      group by status order by status`,
    values,
  });
  return rows;
}

export interface NewBatch {
  id: string;
  partition: number;
  namespace: string;
  requestId: string;
  spec: JsonObject;
  claimEnd: string;
  canaryPassed: boolean;
  matched: number;
}

/** False when there is one with this request id. */
export async function insertBatch(database: Queryable, batch: NewBatch): Promise<boolean> {
  const { rows } = await database.query<{ batch_id: string }>({
    text: `insert into batches
        (batch_id, partition, namespace, request_id, spec, status, claimed_to, claim_end, canary_passed, matched)
      values ($1, $2, $3, $4, $5::jsonb, ${BatchStatus.RUNNING}, '00000000-0000-0000-0000-000000000000', $6, $7, $8)
      on conflict (namespace, request_id) where request_id <> '' do nothing returning batch_id`,
    values: [
      batch.id,
      batch.partition,
      batch.namespace,
      batch.requestId,
      JSON.stringify(batch.spec),
      batch.claimEnd,
      batch.canaryPassed,
      batch.matched,
    ],
  });
  return rows.length > 0;
}

export async function findBatch(database: Queryable, id: string): Promise<BatchRow | undefined> {
  const { rows } = await database.query<BatchRow>({ text: `${SELECT} where batch_id = $1`, values: [id] });
  return rows[0];
}

export async function findBatchByRequest(
  database: Queryable,
  namespace: string,
  requestId: string,
): Promise<BatchRow | undefined> {
  const { rows } = await database.query<BatchRow>({
    text: `${SELECT} where namespace = $1 and request_id = $2 and request_id <> ''`,
    values: [namespace, requestId],
  });
  return rows[0];
}

/** Newest first, before `beforeId` (empty: from the newest). */
export async function listBatches(
  database: Queryable,
  namespace: string,
  beforeId: string,
  limit: number,
): Promise<BatchRow[]> {
  const { rows } = await database.query<BatchRow>({
    text: `${SELECT} where namespace = $1 and ($2 = '' or batch_id < nullif($2, '')::uuid) order by batch_id desc limit $3`,
    values: [namespace, beforeId, limit],
  });
  return rows;
}

/** Those that run, of some partitions. */
export async function listRunning(database: Queryable, partitions: readonly number[]): Promise<string[]> {
  const { rows } = await database.query<{ batch_id: string }>({
    name: "list-running-batches",
    text: `select batch_id from batches where status = ${BatchStatus.RUNNING} and partition = any($1::smallint[])`,
    values: [partitions],
  });
  return rows.map((row) => row.batch_id);
}

/**
 * Changes the status if it is one of `from`, and with `ifSettled` only when no target is under way, here or at a process that
 * worked on it before. @returns whether it was changed
 */
export async function changeStatus(
  database: Queryable,
  id: string,
  change: { from: readonly BatchStatus[]; to: BatchStatus; reason: string; passCanary?: boolean; ifSettled?: boolean },
): Promise<boolean> {
  const isFinal = ![BatchStatus.RUNNING, BatchStatus.PAUSED].includes(change.to);
  const { rows } = await database.query<{ batch_id: string }>({
    text: `update batches set status = $3, reason = $4, ended_at = ${isFinal ? "now()" : "null"},
        canary_passed = canary_passed or $5
      where batch_id = $1 and status = any($2::smallint[])
        and not ($6 and exists (select from batch_targets t where t.batch_id = $1 and t.failure_reason is null))
      returning batch_id`,
    values: [id, change.from, change.to, change.reason, change.passCanary ?? false, change.ifSettled ?? false],
  });
  return rows.length > 0;
}

/** Targets that were claimed and have no outcome yet: those of a process that died are among them. */
export async function listPending(database: Queryable, id: string): Promise<string[]> {
  const { rows } = await database.query<{ execution_id: string }>({
    name: "list-pending-targets",
    text: "select execution_id from batch_targets where batch_id = $1 and failure_reason is null order by execution_id",
    values: [id],
  });
  return rows.map((row) => row.execution_id);
}

/**
 * Claims the next targets: they are written down before anything is done to them, so that after a crash the same ones are
 * tried again, and counted once. The id of a child has the time of its parent's: what was started after the batch, a rerun by
 * the batch itself for one, is told by when it was started. None when it does not run any more, or when there are no more.
 */
export async function claimTargets(
  database: Database,
  id: string,
  target: TargetFilter,
  limit: number,
): Promise<string[]> {
  return await database.transaction(async (transaction) => {
    const { rows: batches } = await transaction.query<{ claimed_to: string; claim_end: string }>({
      text: `select claimed_to, claim_end from batches where batch_id = $1 and status = ${BatchStatus.RUNNING} for update`,
      values: [id],
    });
    const [batch] = batches;
    if (batch === undefined) return [];
    const values: unknown[] = [];
    const condition = targetSql(target, values);
    const { rows } = await transaction.query<{ execution_id: string }>({
      text: `select execution_id from executions where ${condition}
          and execution_id > $${values.push(batch.claimed_to)}::uuid and execution_id <= $${values.push(batch.claim_end)}::uuid
          and started_at <= $${values.push(new Date(idTime(id)))}
        order by execution_id limit $${values.push(limit)}`,
      values,
    });
    const ids = rows.map((row) => row.execution_id);
    const last = ids.at(-1);
    if (last === undefined) return [];
    await transaction.query({
      text: "insert into batch_targets (batch_id, execution_id) select $1, unnest($2::uuid[]) on conflict do nothing",
      values: [id, ids],
    });
    await transaction.query({ text: "update batches set claimed_to = $2 where batch_id = $1", values: [id, last] });
    return ids;
  });
}

export interface Outcome {
  executionId: string;
  result: "succeeded" | "failed" | "skipped";
  reason?: string;
  message?: string;
}

/** Counts each target once, whoever has tried it, and gives the batch as it is then. */
export async function recordOutcomes(
  database: Database,
  id: string,
  outcomes: readonly Outcome[],
): Promise<BatchRow | undefined> {
  return await database.transaction(async (transaction) => {
    const failed = outcomes.filter(({ result }) => result === "failed");
    const marked = await transaction.query<{ execution_id: string }>({
      text: `update batch_targets t set failure_reason = f.reason, failure_message = f.message
        from unnest($2::uuid[], $3::text[], $4::text[]) as f (execution_id, reason, message)
        where t.batch_id = $1 and t.execution_id = f.execution_id and t.failure_reason is null returning t.execution_id`,
      values: [
        id,
        failed.map(({ executionId }) => executionId),
        failed.map(({ reason = "" }) => reason),
        failed.map(({ message = "" }) => message),
      ],
    });
    const gone = async (result: Outcome["result"]): Promise<number> => {
      const { rows } = await transaction.query<{ execution_id: string }>({
        text: `delete from batch_targets where batch_id = $1 and execution_id = any($2::uuid[]) and failure_reason is null
          returning execution_id`,
        values: [id, outcomes.filter((one) => one.result === result).map(({ executionId }) => executionId)],
      });
      return rows.length;
    };
    await transaction.query({
      text: "update batches set failed = failed + $2, succeeded = succeeded + $3, skipped = skipped + $4 where batch_id = $1",
      values: [id, marked.rows.length, await gone("succeeded"), await gone("skipped")],
    });
    return await findBatch(transaction, id);
  });
}

export async function listFailures(
  database: Queryable,
  id: string,
  limit: number,
): Promise<{ executionId: string; reason: string; message: string }[]> {
  const { rows } = await database.query<{ execution_id: string; failure_reason: string; failure_message: string }>({
    text: `select execution_id, failure_reason, failure_message from batch_targets
      where batch_id = $1 and failure_reason is not null order by execution_id limit $2`,
    values: [id, limit],
  });
  return rows.map((row) => ({
    executionId: row.execution_id,
    reason: row.failure_reason,
    message: row.failure_message,
  }));
}
