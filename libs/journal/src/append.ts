import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, Database, Queryable } from "@heddle/store";
import type { Counters } from "./core.ts";
import { type OwnerIdentity, refence } from "./lease.ts";
import { byteaArray } from "./pg-array.ts";
import { partitionMask } from "./read.ts";
import { encodeBatch, type Section } from "./record.ts";
import type { Logger, PayloadClaim } from "./types.ts";

/** One flush. */
export interface AppendRow {
  offset: number;
  sections: readonly Section[];
  payloads: readonly PayloadClaim[];
}

/**
 * committed: the row is durable. lost: it is not and never will be; this process is no longer an owner.
 * unknown: the process stops while the database cannot be asked.
 */
export type AppendOutcome = "committed" | "lost" | "unknown";

/** One stay among the owners: what was decided in it is never written under another one. */
export interface Tenure extends OwnerIdentity {
  /** Shown by every append. */
  fence: number;
}

export interface AppendLease {
  /** Undefined when this process is not an owner. The same object for as long as it is one without a break. */
  tenure(): Tenure | undefined;
  /** The tenure is over and the process stops: an outcome is no longer waited for. */
  hasGivenUp(tenure: Tenure): boolean;
  /** The tenure has a new fence. False when it is over. */
  refenced(tenure: Tenure, fence: number): boolean;
  /** An append found out that others have ended the tenure. */
  lost(tenure: Tenure): void;
}

export interface AppenderOptions {
  database: Database;
  lease: AppendLease;
  /** The time slot to write to; its table exists. */
  slot(): number;
  /** Called before a failed append is tried again, to make sure of that table. */
  repairSlot(): Promise<void>;
  appendTimeoutMs: number;
  logger: Logger;
  counters: Counters;
}

export interface Appender {
  append(row: AppendRow): Promise<AppendOutcome>;
  close(): Promise<void>;
}

/*
 * One statement, one commit. The lock on the owner's row is the fence: whoever takes partitions away deletes the row,
 * and either waits for this statement or makes it write nothing. The lock changes no column and so leaves no dead row,
 * and renewals, which change no key, neither wait for it nor hold it up; the journal's rows are the only thing that grows.
 */
const FENCE =
  "with fence as materialized (select from journal_owners where owner = $1 and fence = $2::bigint for key share)";
const INSERT = `insert into journal (slot, journal_offset, fence, partitions, batch)
  select $3::bigint, $4::bigint, $2, $5::bigint, $6::bytea from fence`;

const APPEND = { name: "journal_append", text: `${FENCE} ${INSERT}` };
const APPEND_WITH_PAYLOADS = {
  name: "journal_append_payloads",
  text: `${FENCE}, claimed as (
      insert into payloads (digest, bytes, counted)
      select r.*, true from fence, unnest($7::bytea[], $8::bytea[]) as r on conflict do nothing
    ), used as (
      insert into payload_users (digest, id)
      select d, encode(i, 'hex')::uuid from fence, unnest($9::bytea[], $10::bytea[]) as r (d, i) on conflict do nothing)
    ${INSERT}`,
};

/** Which aggregate names which payload in an event. */
function usersOf(sections: readonly Section[]): [digests: Buffer, ids: Buffer] {
  const digests: Uint8Array[] = [];
  const ids: Uint8Array[] = [];
  for (const { records } of sections) {
    for (const { payloadDigests, idBytes } of records) {
      for (const digest of payloadDigests) {
        digests.push(Buffer.from(digest, "hex"));
        ids.push(idBytes);
      }
    }
  }
  return [byteaArray(digests), byteaArray(ids)];
}

const RETRY_MIN_MS = 5;
const RETRY_MAX_MS = 200;

export function createAppender(options: AppenderOptions): Appender {
  const { database, lease, logger, counters } = options;
  let client: Connection | undefined;

  const connect = async (): Promise<Connection> => {
    const fresh = await database.connect({ applicationName: `${database.schema}-journal` });
    // The statement in flight rejects by itself; between statements the next one finds out.
    fresh.on("error", () => undefined);
    client = fresh;
    return fresh;
  };

  const disconnect = (): void => {
    const old = client;
    client = undefined;
    old?.connection.stream.destroy();
  };

  /** A connection that neither answers nor breaks is cut: the outcome is then looked up like after any other cut. */
  const watched = async <T>(connection: Connection, work: () => Promise<T>): Promise<T> => {
    const watchdog = setTimeout(() => connection.connection.stream.destroy(), options.appendTimeoutMs);
    try {
      return await work();
    } finally {
      clearTimeout(watchdog);
    }
  };

  const send = async (connection: Connection, { offset, sections, payloads }: AppendRow, tenure: Tenure) => {
    const values: unknown[] = [
      tenure.owner,
      tenure.fence,
      options.slot(),
      offset,
      partitionMask(sections.map((section) => section.partition)),
      encodeBatch(sections),
    ];
    if (payloads.length > 0) {
      values.push(
        byteaArray(payloads.map((claim) => Buffer.from(claim.digest, "hex"))),
        byteaArray(payloads.map((claim) => claim.bytes)),
        ...usersOf(sections),
      );
    }
    const statement = payloads.length > 0 ? APPEND_WITH_PAYLOADS : APPEND;
    return await watched(connection, async () => (await connection.query({ ...statement, values })).rowCount ?? 0);
  };

  /** What became of a statement whose answer was lost. On the appender's own connection: a busy pool holds nothing up. */
  const lookUp = async (connection: Connection, row: AppendRow, tenure: Tenure, triedFence: number) => {
    const queryable: Queryable = {
      async query<Row>(statement: { text: string; values?: readonly unknown[] }) {
        const { rows, rowCount, command } = await connection.query(statement.text, [...(statement.values ?? [])]);
        return { rows: rows as Row[], rowCount: rowCount ?? 0, command };
      },
    };
    return await watched(connection, async () => {
      // After this no earlier statement can still take effect, so what the journal shows then is final. The same holds when
      // the row of the tenure is gone.
      const fence = await refence(queryable, tenure);
      const { rowCount } = await queryable.query({
        text: "select 1 from journal where journal_offset = $1 and fence = $2",
        values: [row.offset, triedFence],
      });
      if (rowCount > 0) {
        if (fence !== undefined) lease.refenced(tenure, fence);
        return "committed";
      }
      return fence !== undefined && lease.refenced(tenure, fence) ? "retry" : "lost";
    });
  };

  return {
    async append(row) {
      const tenure = lease.tenure();
      if (tenure === undefined) return "lost";
      let inDoubt = false;
      let triedFence = 0;
      for (let retryMs = RETRY_MIN_MS; ; retryMs = Math.min(retryMs * 2, RETRY_MAX_MS)) {
        if (lease.hasGivenUp(tenure)) return inDoubt ? "unknown" : "lost";
        try {
          const connection = client ?? (await connect());
          if (inDoubt) {
            const outcome = await lookUp(connection, row, tenure, triedFence);
            if (outcome === "lost") lease.lost(tenure);
            if (outcome !== "retry") return outcome;
            inDoubt = false;
            await options.repairSlot();
          }
          if (lease.tenure() !== tenure) return "lost";
          const began = performance.now();
          inDoubt = true;
          triedFence = tenure.fence;
          const written = await send(connection, row, tenure);
          counters.lastFlushMs = performance.now() - began;
          if (written === 1) return "committed";
          lease.lost(tenure);
          return "lost";
        } catch (error) {
          logger.warn(
            { err: error, inDoubt, retryMs },
            "an append to the journal got no answer; its outcome is looked up",
          );
          disconnect();
          await sleep(retryMs);
        }
      }
    },
    async close() {
      const old = client;
      client = undefined;
      await old?.end().catch(() => undefined);
    },
  };
}
