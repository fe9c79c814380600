import type { Queryable } from "@heddle/store";

/**
 * The stored offsets of a publisher, made where they are missing: from then on the journal keeps what the publisher
 * has not seen.
 */
export async function loadCursors(
  database: Queryable,
  name: string,
  partitions: readonly number[],
): Promise<Map<number, number>> {
  await database.query({
    text: `insert into publisher_cursors (name, partition, journal_offset)
      select $1, p, 0 from unnest($2::smallint[]) as p on conflict do nothing`,
    values: [name, partitions],
  });
  const { rows } = await database.query<{ partition: number; journal_offset: string }>({
    text: "select partition, journal_offset from publisher_cursors where name = $1 and partition = any($2::smallint[])",
    values: [name, partitions],
  });
  return new Map(rows.map((row) => [row.partition, Number(row.journal_offset)]));
}

/** Only forward: a process that lost the partition may still report what it published. */
export async function storeCursors(
  database: Queryable,
  name: string,
  cursors: readonly { partition: number; offset: number }[],
): Promise<void> {
  await database.query({
    name: "journal_store_cursors",
    // Not waiting for the disk: a cursor that a crash takes back only makes entries come again.
    text: `with lazy as materialized (select set_config('synchronous_commit', 'off', true))
      update publisher_cursors c set journal_offset = greatest(c.journal_offset, r.published)
      from lazy, unnest($2::smallint[], $3::bigint[]) as r (partition, published)
      where c.name = $1 and c.partition = r.partition`,
    values: [name, cursors.map((cursor) => cursor.partition), cursors.map((cursor) => cursor.offset)],
  });
}

/** Forgets a publisher that is no longer used; until then the journal is kept for it. */
export async function removePublisher(database: Queryable, name: string): Promise<void> {
  await database.query({ text: "delete from publisher_cursors where name = $1", values: [name] });
}
