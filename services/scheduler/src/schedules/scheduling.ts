import type { EventBus } from "@heddle/events";
import type { RpcTransport } from "@heddle/rpc";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import type { ShardOwnership } from "../shards/shards.ts";
import { listUnsettledSchedules, type ScheduleKey } from "../store/schedules.ts";
import type { FiringRow } from "../store/firings.ts";
import { readWatched } from "../store/watched.ts";
import { resumeCalls } from "./calls.ts";
import { type Clockwork, createClockwork } from "./clockwork.ts";
import { createConsumers } from "./consumers.ts";
import { createExecutions } from "./executions.ts";
import { createFiringQueue } from "./firing-queue.ts";
import { defaultScheduleLimits, type ScheduleLimits } from "./limits.ts";
import { createNotices, type Notices } from "./notices.ts";
import { changeSchedule, createScheduleQueue } from "./schedule-queue.ts";
import { createWatchIndex } from "./watch-index.ts";

export interface SchedulingOptions {
  /** The scheduler's schema. */
  database: Database;
  execution: RpcTransport;
  bus: EventBus;
  /** Whose schedules this replica runs. */
  ownership: Pick<ShardOwnership, "isOwner" | "onChange">;
  logger: Logger;
  limits?: Partial<ScheduleLimits>;
  /** The time of day; unlike that of leases it may be set. */
  now?: () => number;
}

/** Runs schedules and triggers: starts executions when their times have come, and when what they wait for has happened. */
export interface Scheduling {
  readonly limits: ScheduleLimits;
  readonly notices: Notices;
  now(): number;
  /** A schedule was created, changed or deleted here. */
  changed(): Promise<void>;
  start(): Promise<void>;
  /** Waits for the starts under way. */
  stop(): Promise<void>;
}

export function createScheduling(options: SchedulingOptions): Scheduling {
  const { database, bus, ownership, logger, now = Date.now } = options;
  const limits = { ...defaultScheduleLimits, ...options.limits };
  const executions = createExecutions(options.execution, limits.callTimeoutMs);
  const index = createWatchIndex(() => readWatched(database));
  const isOwner = (namespace: string): boolean => ownership.isOwner(namespace);
  const namespaces = (): readonly string[] => index.namespaces().filter(isOwner);
  const queue = { database, executions, namespaces, isOwner, now, limits, logger };
  const schedules: Clockwork = createClockwork<ScheduleKey>({ queue: createScheduleQueue(queue), now, limits, logger });
  const firings: Clockwork = createClockwork<FiringRow>({ queue: createFiringQueue(queue), now, limits, logger });
  /** Whose unfinished calls this replica has taken up. */
  const resumed = new Set<string>();
  let stopped = false;
  let endOwnership: (() => void) | undefined;
  let retry: NodeJS.Timeout | undefined;

  const wake = (): void => {
    schedules.wake();
    firings.wake();
  };

  const changed = async (): Promise<void> => {
    await index.reload();
    consumers.update();
    await resume();
    wake();
  };

  /** Of namespaces that have just become this replica's: whoever had them may have ended in the middle of a call. */
  const resume = async (): Promise<void> => {
    const mine = namespaces();
    for (const namespace of resumed) if (!mine.includes(namespace)) resumed.delete(namespace);
    const fresh = mine.filter((namespace) => !resumed.has(namespace));
    if (fresh.length === 0) return;
    for (const key of await listUnsettledSchedules(database, fresh)) {
      await changeSchedule(database, key, (row) => resumeCalls(row.state));
    }
    for (const namespace of fresh) resumed.add(namespace);
  };

  /** For those who cannot wait: tried again until it succeeds. */
  const changedSoon = (): void => {
    changed().catch((err: unknown) => {
      if (stopped) return;
      logger.warn({ err }, "schedules and triggers cannot be read; they are read again");
      clearTimeout(retry);
      retry = setTimeout(changedSoon, limits.databaseRetryMs);
    });
  };

  const notices = createNotices({
    database,
    onNotice: (notice) => (notice === "changed" ? changedSoon() : wake()),
    retryMs: limits.databaseRetryMs,
    checkMs: limits.noticesCheckMs,
    silenceMaxMs: limits.noticesSilenceMaxMs,
    logger,
  });
  const onChanged = async (): Promise<void> => {
    // The event has taken effect and will not come again: a failure to see it is no failure to handle it.
    await changed().catch(changedSoon);
  };
  const consumers = createConsumers({ bus, database, index, notices, now, onChanged, onDue: wake, logger });

  return {
    limits,
    notices,
    now,
    changed,
    async start() {
      await index.reload();
      consumers.start();
      notices.start();
      endOwnership = ownership.onChange(changedSoon);
      changedSoon();
    },
    async stop() {
      stopped = true;
      clearTimeout(retry);
      endOwnership?.();
      await consumers.stop();
      await notices.stop();
      await Promise.all([schedules.stop(), firings.stop()]);
    },
  };
}
