import { releasePayloads } from "@heddle/journal";
import type { Database, Queryable } from "@heddle/store";
import { maxChildDepth } from "../domain/limits.ts";

/** Tombstones of purged executions are kept this long, so that whoever compares published events with executions knows why they are gone. */
const TOMBSTONE_DAYS = 90;

/**
 * It has ended, and so has all that it is a part of: a parent may still have to be told how it ended, and one further up may
 * undo the parent, which undoes this by what is kept of it.
 */
const MAY_GO = `e.ended_at is not null
  and not exists (
    with recursive ancestors as (
      select p.execution_id, p.parent_execution_id, p.ended_at, 1 as distance
        from executions p where p.execution_id = e.parent_execution_id
      union all
      select p.execution_id, p.parent_execution_id, p.ended_at, a.distance + 1
        from ancestors a join executions p on p.execution_id = a.parent_execution_id
        where a.ended_at is not null and a.distance < ${maxChildDepth}
    )
    select from ancestors where ended_at is null)`;

/**
 * Deletes these executions as far as they may go: those that have ended, by the projection, and of whose ancestors none runs
 * any more. All of an execution goes in one transaction, or nothing; a payload goes
 * with the last execution that uses it.
 * @returns the ids of those that are gone
 */
export async function purgeExecutions(database: Database, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  return await database.transaction(async (transaction) => {
    const { rows } = await transaction.query<{ execution_id: string }>({
      text: `select e.execution_id from executions e where e.execution_id = any($1::uuid[]) and ${MAY_GO}
        order by e.execution_id for update`,
      values: [ids],
    });
    const going = rows.map((row) => row.execution_id);
    if (going.length === 0) return [];
    await transaction.query({
      text: `with gone as (
          delete from executions where execution_id = any($1::uuid[]) returning execution_id, last_seq
        ), history_gone as (
          delete from history h using gone where h.id = gone.execution_id
        ), attributes_gone as (
          delete from execution_attributes a using gone where a.execution_id = gone.execution_id
        )
        insert into purged_executions (execution_id, last_seq) select execution_id, last_seq from gone
        on conflict (execution_id) do update set last_seq = excluded.last_seq, purged_at = now()`,
      values: [going],
    });
    await releasePayloads(transaction, going);
    return going;
  });
}

/** Executions of a partition whose time has come, the longest overdue first. */
export async function listPurgeable(database: Queryable, partition: number, limit: number): Promise<string[]> {
  const { rows } = await database.query<{ execution_id: string }>({
    name: "list-purgeable-executions",
    text: `select e.execution_id from executions e
      where e.partition = $1 and e.purge_at is not null and e.purge_at <= now() and ${MAY_GO}
      order by e.purge_at limit $2`,
    values: [partition, limit],
  });
  return rows.map((row) => row.execution_id);
}

/** Those of these executions that were purged, with the number of their last event. */
export async function findPurged(
  database: Queryable,
  ids: readonly string[],
): Promise<{ executionId: string; lastSeq: bigint }[]> {
  if (ids.length === 0) return [];
  const { rows } = await database.query<{ execution_id: string; last_seq: string }>({
    text: "select execution_id, last_seq from purged_executions where execution_id = any($1::uuid[])",
    values: [ids],
  });
  return rows.map((row) => ({ executionId: row.execution_id, lastSeq: BigInt(row.last_seq) }));
}

export async function dropTombstones(database: Database): Promise<void> {
  await database.query({
    text: `delete from purged_executions where purged_at < now() - interval '${TOMBSTONE_DAYS} days'`,
    values: [],
  });
}
