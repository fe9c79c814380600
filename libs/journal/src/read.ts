import type { Queryable } from "@heddle/store";
import { decodeBatch } from "./record.ts";
import type { JournalEntry, JournalPage } from "./types.ts";

/** Journal rows after an offset that touch any of the partitions. `limit` counts rows; a row may give several entries. */
export async function readJournalPage(
  database: Queryable,
  partitions: readonly number[],
  afterOffset: number,
  limit: number,
): Promise<JournalPage> {
  const { rows } = await database.query<{ journal_offset: string; batch: Buffer }>({
    name: "journal_read",
    // Rows of two owners may share an offset: a page must not end between them, so the last offset is read whole.
    text: `select journal_offset, batch from journal
      where journal_offset > $1 and partitions & $2::bigint <> 0
        and journal_offset <= coalesce((select max(o) from (
          select journal_offset as o from journal where journal_offset > $1 and partitions & $2::bigint <> 0
          order by journal_offset limit $3) as page), 0)
      order by journal_offset`,
    values: [afterOffset, partitionMask(partitions), limit],
  });
  const wanted = new Set(partitions);
  const entries: JournalEntry[] = [];
  for (const row of rows) {
    const offset = Number(row.journal_offset);
    for (const section of decodeBatch(row.batch, (partition) => wanted.has(partition))) {
      const sizeBytes = section.records.reduce((total, record) => total + record.bytes.length, 0);
      entries.push({ ...section, offset, sizeBytes });
    }
  }
  return {
    entries,
    readOffset: Number(rows.at(-1)?.journal_offset ?? afterOffset),
    isFull: rows.length >= limit,
  };
}

/** Bit p is set for partition p, as Postgres's signed 64 bits. */
export function partitionMask(partitions: Iterable<number>): string {
  let mask = 0n;
  for (const partition of partitions) mask |= 1n << BigInt(partition);
  return BigInt.asIntN(64, mask).toString();
}

/** No row has a higher offset, and none that is dropped had. */
export async function readLastOffset(database: Queryable): Promise<number> {
  const { rows } = await database.query<{ last: string }>({
    text: `select greatest(
      (select max(journal_offset) from journal),
      (select max(projected_offset) from journal_partitions),
      (select max(journal_offset) from publisher_cursors), 0) as last`,
  });
  return Number(rows[0]?.last);
}
