import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { purgeBatchSize, purgePauseMs } from "../domain/limits.ts";
import { dropTombstones, listPurgeable, purgeExecutions } from "../store/purge.ts";

export interface PurgerOptions {
  database: Database;
  ownedPartitions(): number[];
  /** Between two looks at everything. */
  intervalMs: number;
  logger: Logger;
}

/**
 * Deletes executions whose time of retention is over, in the background: some at a time, with pauses, so that deleting a
 * million costs the others little. What a crash leaves is found by the next look.
 */
export interface Purger {
  start(): void;
  stop(): Promise<void>;
}

export function createPurger({ database, ownedPartitions, intervalMs, logger }: PurgerOptions): Purger {
  const stopped = new AbortController();
  let running: Promise<void> | undefined;

  const pause = async (ms: number): Promise<void> => {
    await sleep(ms, undefined, { ref: false, signal: stopped.signal }).catch(() => undefined);
  };

  async function purgePartition(partition: number): Promise<number> {
    let purged = 0;
    while (!stopped.signal.aborted) {
      const ids = await listPurgeable(database, partition, purgeBatchSize);
      const gone = await purgeExecutions(database, ids);
      purged += gone.length;
      // None of a full list could go: the others behind it wait for the next look.
      if (ids.length < purgeBatchSize || gone.length === 0) break;
      await pause(purgePauseMs);
    }
    return purged;
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        let purged = 0;
        for (const partition of ownedPartitions()) {
          if (stopped.signal.aborted) return;
          purged += await purgePartition(partition);
        }
        await dropTombstones(database);
        if (purged > 0) logger.info({ purged }, "purged executions whose time of retention is over");
      } catch (error) {
        logger.warn({ err: error }, "executions could not be purged; tried again with the next look");
      }
      await pause(intervalMs);
    }
  }

  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
