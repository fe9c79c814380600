import { inspect } from "node:util";
import type { PoisonMessage } from "./event-bus.ts";
import type { EventHeaders, EventMessage } from "./event-message.ts";
import { poisonErrorMaxCharacters, poisonPageMaxRows, poisonSummaryErrorMaxCharacters } from "./limits.ts";
import type { PositionQueryable } from "./sql-position-store.ts";

/** Identifies a parked message. */
export interface PoisonKey {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** Its offset, or on a bus without offsets `<ce_source> <ce_id>`. */
  readonly messageId: string;
}

/** A message that no delivery could get handled, as an operator sees it. */
export interface ParkedMessage extends PoisonKey {
  readonly message: EventMessage;
  readonly attempts: number;
  /** The last error with its stack, cut off where it is too long. */
  readonly error: string;
  readonly parkedAt: Date;
}

/** What a group has put aside of a topic. */
export interface ParkedSummary {
  readonly group: string;
  readonly topic: string;
  readonly messages: number;
  /** The beginning of the error of the message that was parked last: up to 500 characters. */
  readonly lastError: string;
}

export interface PoisonFilter {
  group?: string;
  topic?: string;
  /** Up to 1000, default 100: the oldest. */
  limit?: number;
}

export interface PoisonStore<Transaction> {
  /** The `parkPoison` of a subscription. A message that is parked again replaces itself. */
  park(poison: PoisonMessage): Promise<void>;
  /** What is parked, by group and topic. */
  summarize(): Promise<ParkedSummary[]>;
  list(filter?: PoisonFilter): Promise<ParkedMessage[]>;
  /**
   * Gives a message to a handler once more and removes it, in one transaction: it stays when the handler rejects, with
   * the new error. Two operators do not handle it twice. False when it is not there, or is being handled.
   *
   * It comes behind messages that were published after it. Give it to what takes effect, not to what
   * `createDedupingConsumer` made: the position of that is beyond the message long since.
   */
  redeliver(
    key: PoisonKey,
    handler: (message: EventMessage, transaction: Transaction) => Promise<void>,
  ): Promise<boolean>;
  /** For what is not worth handling any more. False when it is not there. */
  delete(key: PoisonKey): Promise<boolean>;
}

export interface SqlPoisonStoreOptions<Transaction extends PositionQueryable> {
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/**
 * Creates the table of `createSqlPoisonStore` in the schema of the search path. Run it as a migration of the service
 * that consumes; the statement may run again.
 */
export const createPoisonTableSql = `
create table if not exists event_poison (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  message_id text not null,
  message_key text not null,
  message_value bytea not null,
  message_headers jsonb not null,
  attempts integer not null,
  error text not null,
  parked_at timestamptz not null default now(),
  primary key (consumer_group, topic, partition, message_id)
)`;

/** Undoes `createPoisonTableSql`. */
export const dropPoisonTableSql = "drop table if exists event_poison";

const PARK = `
insert into event_poison
  (consumer_group, topic, partition, message_id, message_key, message_value, message_headers, attempts, error)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (consumer_group, topic, partition, message_id)
do update set attempts = excluded.attempts, error = excluded.error, parked_at = now()`;

const SUMMARIZE = `
select consumer_group, topic, count(*)::integer as messages,
  left((array_agg(error order by parked_at desc))[1], ${poisonSummaryErrorMaxCharacters}) as last_error
from event_poison group by consumer_group, topic order by consumer_group, topic`;

const LIST = `
select * from event_poison
where ($1::text is null or consumer_group = $1) and ($2::text is null or topic = $2)
order by parked_at, consumer_group, topic, partition, message_id limit $3`;

const KEY = "consumer_group = $1 and topic = $2 and partition = $3 and message_id = $4";
const LOCK = `select * from event_poison where ${KEY} for update skip locked`;
const DELETE = `delete from event_poison where ${KEY} returning 1`;
const FAILED = `update event_poison set attempts = attempts + 1, error = $5 where ${KEY}`;

const DEFAULT_LIMIT = 100;

interface Row {
  consumer_group: string;
  topic: string;
  partition: number;
  message_id: string;
  message_key: string;
  message_value: Uint8Array;
  message_headers: EventHeaders;
  attempts: number;
  error: string;
  parked_at: Date;
}

interface SummaryRow {
  consumer_group: string;
  topic: string;
  messages: number;
  last_error: string;
}

/** Poison in the consumer's own Postgres schema, where a person looks for it. Needs `createPoisonTableSql`. */
export function createSqlPoisonStore<Transaction extends PositionQueryable>(
  options: SqlPoisonStoreOptions<Transaction>,
): PoisonStore<Transaction> {
  const { transaction } = options;

  return {
    async park({ group, message, partition, attempts, error, offset }) {
      const { topic, key, value, headers } = message;
      const messageId = storable(offset === undefined ? `${headers.ce_source} ${headers.ce_id}` : String(offset));
      const row = [
        group,
        topic,
        partition,
        messageId,
        storable(key),
        Buffer.from(value),
        storable(JSON.stringify(headers)),
      ];
      await transaction((tx) => tx.query({ text: PARK, values: [...row, attempts, describe(error)] }));
    },
    async summarize() {
      const { rows } = await transaction((tx) => tx.query<SummaryRow>({ text: SUMMARIZE }));
      return rows.map(({ consumer_group: group, topic, messages, last_error: lastError }) => ({
        group,
        topic,
        messages,
        lastError,
      }));
    },
    async list({ group, topic, limit = DEFAULT_LIMIT } = {}) {
      const values = [group ?? null, topic ?? null, Math.min(limit, poisonPageMaxRows)];
      const { rows } = await transaction((tx) => tx.query<Row>({ text: LIST, values }));
      return rows.map(toParked);
    },
    async redeliver(key, handler) {
      try {
        return await transaction(async (tx) => {
          const { rows } = await tx.query<Row>({ text: LOCK, values: keyValues(key) });
          const [row] = rows;
          if (row === undefined) return false;
          await handler(toParked(row).message, tx);
          await tx.query({ text: DELETE, values: keyValues(key) });
          return true;
        });
      } catch (error) {
        await transaction((tx) => tx.query({ text: FAILED, values: [...keyValues(key), describe(error)] }));
        throw error;
      }
    },
    async delete(key) {
      const { rows } = await transaction((tx) => tx.query({ text: DELETE, values: keyValues(key) }));
      return rows.length > 0;
    },
  };
}

function keyValues({ group, topic, partition, messageId }: PoisonKey): unknown[] {
  return [group, topic, partition, messageId];
}

function toParked(row: Row): ParkedMessage {
  return {
    group: row.consumer_group,
    topic: row.topic,
    partition: row.partition,
    messageId: row.message_id,
    message: {
      topic: row.topic,
      key: row.message_key,
      value: row.message_value,
      headers: row.message_headers,
    },
    attempts: row.attempts,
    error: row.error,
    parkedAt: row.parked_at,
  };
}

function describe(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  return storable(text.slice(0, poisonErrorMaxCharacters));
}

/** Text in Postgres holds everything but NUL; poison must be parked whatever is in it. */
function storable(text: string): string {
  return text.replaceAll("\0", "\uFFFD").replaceAll("\\u0000", "\\ufffd");
}
