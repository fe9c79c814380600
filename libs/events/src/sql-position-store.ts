import type { Mark, PositionKey, PositionStore } from "./position-store.ts";

/** The part of a database transaction that is needed here; that of @heddle/store fits. */
export interface PositionQueryable {
  query<Row>(statement: { name?: string; text: string; values?: readonly unknown[] }): Promise<{ rows: Row[] }>;
}

export interface SqlPositionStoreOptions<Transaction extends PositionQueryable> {
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/**
 * Creates the table of `createSqlPositionStore` in the schema of the search path. Run it as a migration of the service
 * that consumes; the statement may run again.
 */
export const createPositionTableSql = `
create table if not exists event_positions (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  source text not null,
  source_offset bigint not null,
  source_index integer not null,
  updated_at timestamptz not null default now(),
  primary key (consumer_group, topic, partition, source)
)`;

/** Undoes `createPositionTableSql`. */
export const dropPositionTableSql = "drop table if exists event_positions";

/** -1 marks a row that was made to be locked and has no position yet. */
const NONE = -1;

const LOCK = `
select source, source_offset, source_index from event_positions
where consumer_group = $1 and topic = $2 and partition = $3 and source = any($4::text[])
order by source for update`;

const CREATE = `
insert into event_positions (consumer_group, topic, partition, source, source_offset, source_index)
select $1, $2, $3, source, ${NONE}, ${NONE} from unnest($4::text[]) as source order by source
on conflict do nothing`;

const SAVE = `
update event_positions as stored
set source_offset = given.source_offset, source_index = given.source_index, updated_at = now()
from unnest($4::text[], $5::bigint[], $6::integer[]) as given (source, source_offset, source_index)
where consumer_group = $1 and topic = $2 and partition = $3 and stored.source = given.source`;

interface Row {
  source: string;
  /** The driver gives bigint as text. */
  source_offset: string;
  source_index: number;
}

/** Positions in the consumer's own Postgres schema, in the transaction of its effects. Needs `createPositionTableSql`. */
export function createSqlPositionStore<Transaction extends PositionQueryable>(
  options: SqlPositionStoreOptions<Transaction>,
): PositionStore<Transaction> {
  return {
    transaction: (work) => options.transaction(work),
    async lock(transaction, keys) {
      let found = await select(transaction, keys);
      if (found.size < keys.length) {
        // A row that does not exist cannot be locked: make it, then everybody queues up at it.
        await transaction.query({ name: "event_positions_create", text: CREATE, values: keyValues(keys) });
        found = await select(transaction, keys);
      }
      return keys.map(({ source }) => {
        const mark = found.get(source);
        return mark === undefined || mark.offset === NONE ? undefined : mark;
      });
    },
    async save(transaction, marks) {
      const offsets = marks.map(({ mark }) => mark.offset);
      const indices = marks.map(({ mark }) => mark.index);
      const values = [...keyValues(marks.map(({ key }) => key)), offsets, indices];
      await transaction.query({ name: "event_positions_save", text: SAVE, values });
    },
  };
}

async function select(transaction: PositionQueryable, keys: readonly PositionKey[]): Promise<Map<string, Mark>> {
  const { rows } = await transaction.query<Row>({ name: "event_positions_lock", text: LOCK, values: keyValues(keys) });
  return new Map(
    rows.map((row) => [row.source, { offset: Number(row.source_offset), index: row.source_index }] as const),
  );
}

/** The keys of one delivery differ in their source only. */
function keyValues(keys: readonly PositionKey[]): unknown[] {
  const first = keys[0];
  return [first?.group, first?.topic, first?.partition, keys.map(({ source }) => source)];
}
