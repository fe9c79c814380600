import type { Database } from "@heddle/store";

export interface OutboxEntry {
  position: string;
  aggregate_id: string;
  /** Number among the events of the aggregate. */
  seq: string;
  occurred_at: Date;
  event: Buffer;
}

/** The next entries after the cursor of `name`, in order. */
export async function readOutbox(database: Database, name: string, limit: number): Promise<OutboxEntry[]> {
  const { rows } = await database.query<OutboxEntry>({
    text: `select position, aggregate_id, seq, occurred_at, event from events
      where position > coalesce((select position from cursors where name = $1), 0) order by position limit $2`,
    values: [name, limit],
  });
  return rows;
}

export async function moveCursor(database: Database, name: string, position: string): Promise<void> {
  await database.query({
    text: `insert into cursors (name, position) values ($1, $2)
      on conflict (name) do update set position = greatest(cursors.position, excluded.position)`,
    values: [name, position],
  });
}
