import { setTimeout as sleep } from "node:timers/promises";
import type { Queryable } from "@heddle/store";

const LOOK_INTERVAL_MS = 20;

export interface AwaitProjectionOptions {
  signal: AbortSignal;
  /** After this long it gives up: an owner may have died, or cannot project. */
  timeoutMs: number;
}

/**
 * Waits until everything that was committed before the call, by any replica, is in the projections: then a query of them
 * misses nothing. Mostly as long as a projection takes. False when it has waited in vain.
 */
export async function awaitProjection(
  database: Queryable,
  { signal, timeoutMs }: AwaitProjectionOptions,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  let open = await listUnprojected(database);
  while (open.length > 0) {
    if (performance.now() > deadline) return false;
    await sleep(LOOK_INTERVAL_MS, undefined, { signal });
    open = await listStillOpen(database, open);
  }
  return true;
}

interface OpenPartition {
  partition: number;
  /** Of the last row with events of the partition. */
  offset: string;
}

async function listUnprojected(database: Queryable): Promise<OpenPartition[]> {
  const { rows } = await database.query<OpenPartition>({
    name: "journal_unprojected",
    text: `select p.partition, max(j.journal_offset) as offset
      from journal j join journal_partitions p on (j.partitions >> p.partition) & 1 = 1
      where j.journal_offset > (select min(projected_offset) from journal_partitions)
        and j.journal_offset > p.projected_offset
      group by p.partition`,
  });
  return rows;
}

async function listStillOpen(database: Queryable, open: readonly OpenPartition[]): Promise<OpenPartition[]> {
  const { rows } = await database.query<OpenPartition>({
    name: "journal_still_unprojected",
    text: `select o.partition, o.target as offset
      from unnest($1::smallint[], $2::bigint[]) as o (partition, target)
      join journal_partitions p on p.partition = o.partition and p.projected_offset < o.target`,
    values: [open.map(({ partition }) => partition), open.map(({ offset }) => offset)],
  });
  return rows;
}
