import type { Queryable } from "@heddle/store";
import { idFromBytes } from "./id.ts";
import { decodeBatch } from "./record.ts";
import type { JournalEntry } from "./types.ts";

/** Rows of one partition after an offset, in order. */
export async function readJournal(
  database: Queryable,
  partition: number,
  afterOffset: number,
  limit: number,
): Promise<JournalEntry[]> {
  const { rows } = await database.query<{ journal_offset: string; batch: Buffer }>({
    name: "journal_read",
    text: `select journal_offset, batch from journal where partition = $1 and journal_offset > $2
      order by journal_offset limit $3`,
    values: [partition, afterOffset, limit],
  });
  return rows.map((row) => ({
    partition,
    offset: Number(row.journal_offset),
    records: decodeBatch(row.batch, idFromBytes),
    sizeBytes: row.batch.length,
  }));
}
