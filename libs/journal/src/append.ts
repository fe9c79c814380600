import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, Database } from "@heddle/store";
import type { Counters } from "./core.ts";
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
  append(row: AppendRow): Promise<AppendOutcome>;
  close(): Promise<void>;
}

/*
 * One statement, one commit. The lock on the owner's row is the fence: whoever takes partitions away deletes the row,
 * and either waits for this statement or makes it write nothing. FOR SHARE changes no column and so leaves no dead
 * row; the journal's rows are the only thing that grows.
 */
const FENCE =
  "with fence as materialized (select from journal_owners where owner = $1 and fence = $2::bigint for share)";
const INSERT = `insert into journal (slot, journal_offset, fence, partitions, batch)
  select $3::bigint, $4::bigint, $2, $5::bigint, $6::bytea from fence`;

const APPEND = { name: "journal_append", text: `${FENCE} ${INSERT}` };
const APPEND_WITH_PAYLOADS = {
  name: "journal_append_payloads",
  text: `${FENCE}, claimed as (
      insert into payloads (digest, bytes)
      select r.* from fence, unnest($7::bytea[], $8::bytea[]) as r on conflict do nothing)
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

  const send = async ({ offset, sections, payloads }: AppendRow, fence: number): Promise<number> => {
    const connection = client ?? (await connect());
    const values: unknown[] = [
      owner,
      fence,
      options.slot(),
      offset,
      partitionMask(sections.map((section) => section.partition)),
      encodeBatch(sections),
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
  const isCommitted = async (row: AppendRow, fence: number): Promise<boolean> => {
    const { rowCount } = await database.query({
      text: "select 1 from journal where journal_offset = $1 and fence = $2",
      values: [row.offset, fence],
    });
    return rowCount > 0;
  };

  return {
    async append(row) {
      let inDoubt = false;
      let triedFence = 0;
      for (let retryMs = RETRY_MIN_MS; ; retryMs = Math.min(retryMs * 2, RETRY_MAX_MS)) {
        if (!lease.isValid()) return inDoubt ? "unknown" : "lost";
        try {
          if (inDoubt) {
            const stillOwner = await lease.refence();
            if (await isCommitted(row, triedFence)) return "committed";
            if (!stillOwner) return "lost";
            inDoubt = false;
            await options.repairSlot();
          }
          const fence = lease.fence();
          if (fence === undefined) return "lost";
          const began = performance.now();
          const connection = client ?? (await connect());
          inDoubt = connection !== undefined;
          triedFence = fence;
          const written = await send(row, fence);
          counters.lastFlushMs = performance.now() - began;
          return written === 1 ? "committed" : "lost";
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
