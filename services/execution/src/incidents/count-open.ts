import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";

export interface OpenIncidentCountOptions {
  database: Database;
  ownedPartitions(): number[];
  /** Between two counts. */
  intervalMs: number;
  logger: Logger;
}

/** How many incidents are open in the partitions of this process, for operators: the sum over all processes is that of the installation. */
export interface OpenIncidentCount {
  /** As of the last count; 0 before the first. */
  current(): number;
  start(): void;
  stop(): Promise<void>;
}

export function createOpenIncidentCount(options: OpenIncidentCountOptions): OpenIncidentCount {
  const { database, logger, intervalMs } = options;
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  let count = 0;

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        const { rows } = await database.query<{ count: number }>({
          name: "count-open-incidents",
          text: "select count(*)::integer as count from incidents where partition = any($1::smallint[])",
          values: [options.ownedPartitions()],
        });
        count = rows[0]?.count ?? 0;
      } catch (error) {
        logger.debug({ err: error }, "open incidents could not be counted; tried again with the next count");
      }
      await sleep(intervalMs, undefined, { ref: false, signal: stopped.signal }).catch(() => undefined);
    }
  }

  return {
    current: () => count,
    start() {
      running ??= run();
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
