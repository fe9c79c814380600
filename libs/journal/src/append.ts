import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, Database } from "@heddle/store";
import type { Counters } from "./core.ts";
import { byteaArray, byteaArrayOf, int2Array, int8Array } from "./pg-array.ts";
import { batchSize, type StoredRecord, writeBatch } from "./record.ts";
import type { Logger, PayloadClaim } from "./types.ts";

/** The events of one flush for one partition. */
export interface AppendRow {
  partition: number;
  epoch: number;
  offset: number;
  records: StoredRecord[];
}

/**
 * committed: every row is durable. lost: none is, and none ever will be; this process is no longer an owner.
 * unknown: the lease ran out while the database could not be asked.
 */
export type AppendOutcome = "committed" | "lost" | "unknown";

export interface AppendLease {
  /** Shown by every append; undefined when this process is not an owner. */
  fence(): number | undefined;
  /** Whether nobody else can have taken over yet, by this process's monotonic clock. */
  isValid(): boolean;
  /** Takes a new fence, so that no earlier statement can take effect any more. False when it is no longer an owner. */
  refence(): Promise<boolean>;
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
  append(rows: readonly AppendRow[], payloads: readonly PayloadClaim[]): Promise<AppendOutcome>;
  close(): Promise<void>;
}

/*
 * One statement, one commit. The lock on the owner's row is the fence: whoever takes partitions away deletes the row,
 * and either waits for this statement or makes it write nothing. FOR SHARE changes no column and so leaves no dead
 * row; the journal's rows are the only thing that grows.
 */
const FENCE = "with fence as materialized (select from journal_owners where owner = $1 and fence = $2 for share)";
const INSERT = `insert into journal (slot, partition, journal_offset, epoch, batch)
  select $3::bigint, r.* from fence, unnest($4::smallint[], $5::bigint[], $6::bigint[], $7::bytea[]) as r`;

const APPEND = { name: "journal_append", text: `${FENCE} ${INSERT}` };
const APPEND_WITH_PAYLOADS = {
  name: "journal_append_payloads",
  text: `${FENCE}, claimed as (
      insert into payloads (digest, bytes)
      select r.* from fence, unnest($8::bytea[], $9::bytea[]) as r on conflict do nothing)
    ${INSERT}`,
};

const RETRY_MIN_MS = 5;
const RETRY_MAX_MS = 200;

export function createAppender(owner: string, options: AppenderOptions): Appender {
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

  const send = async (rows: readonly AppendRow[], payloads: readonly PayloadClaim[], fence: number) => {
    const connection = client ?? (await connect());
    const values: unknown[] = [
      owner,
      fence,
      options.slot(),
      int2Array(rows.map((row) => row.partition)),
      int8Array(rows.map((row) => row.offset)),
      int8Array(rows.map((row) => row.epoch)),
      byteaArrayOf(
        rows,
        (row) => batchSize(row.records),
        (target, at, row) => writeBatch(target, at, row.records),
      ),
    ];
    if (payloads.length > 0) {
      values.push(
        byteaArray(payloads.map((claim) => Buffer.from(claim.digest, "hex"))),
        byteaArray(payloads.map((claim) => claim.bytes)),
      );
    }
    const statement = payloads.length > 0 ? APPEND_WITH_PAYLOADS : APPEND;
    // A connection that neither answers nor breaks is cut: the outcome is then looked up like after any other cut.
    const watchdog = setTimeout(() => connection.connection.stream.destroy(), options.appendTimeoutMs);
    try {
      return (await connection.query({ ...statement, values })).rowCount ?? 0;
    } finally {
      clearTimeout(watchdog);
    }
  };

  /** After `refence` no earlier statement can still take effect, so what the journal shows now is final. */
  const isCommitted = async (row: AppendRow): Promise<boolean> => {
    const { rowCount } = await database.query({
      text: "select 1 from journal where partition = $1 and journal_offset = $2 and epoch = $3",
      values: [row.partition, row.offset, row.epoch],
    });
    return rowCount > 0;
  };

  return {
    async append(rows, payloads) {
      let inDoubt = false;
      for (let retryMs = RETRY_MIN_MS; ; retryMs = Math.min(retryMs * 2, RETRY_MAX_MS)) {
        if (!lease.isValid()) return inDoubt ? "unknown" : "lost";
        try {
          if (inDoubt) {
            const stillOwner = await lease.refence();
            if (await isCommitted(rows[0] as AppendRow)) return "committed";
            if (!stillOwner) return "lost";
            inDoubt = false;
            await options.repairSlot();
          }
          const fence = lease.fence();
          if (fence === undefined) return "lost";
          const began = performance.now();
          const connection = client ?? (await connect());
          inDoubt = connection !== undefined;
          const written = await send(rows, payloads, fence);
          counters.lastFlushMs = performance.now() - began;
          return written === rows.length ? "committed" : "lost";
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
