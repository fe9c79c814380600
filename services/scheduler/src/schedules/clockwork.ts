import type { Logger } from "@heddle/telemetry";
import type { ScheduleLimits } from "./limits.ts";

/** Rows that have to be worked on at their times. */
export interface DueQueue<Key> {
  /** For logs. */
  name: string;
  idOf(key: Key): string;
  listDue(nowMs: number, limit: number): Promise<Key[]>;
  /** When the next row is due, milliseconds since the epoch; undefined when none will be. */
  nextWakeAt(): Promise<number | undefined>;
  /** Does what is due, and moves the row to its next time. */
  work(key: Key): Promise<void>;
  /** After `work` failed: whatever is wrong with this row must not hold up the others. */
  postpone(key: Key, untilMs: number): Promise<void>;
}

/** Works on rows as they become due. The database is asked when something is due or has changed, and never in between. */
export interface Clockwork {
  /** Something has changed: what is due may be another row, or earlier. */
  wake(): void;
  /** Waits for the work under way. */
  stop(): Promise<void>;
}

export interface ClockworkOptions<Key> {
  queue: DueQueue<Key>;
  now: () => number;
  limits: ScheduleLimits;
  logger: Logger;
}

export function createClockwork<Key>({ queue, now, limits, logger }: ClockworkOptions<Key>): Clockwork {
  const underWay = new Map<string, Promise<void>>();
  let looking: Promise<void> | undefined;
  let wokenAgain = false;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function look(): Promise<void> {
    do {
      wokenAgain = false;
      const due = await queue.listDue(now(), limits.concurrency + underWay.size);
      for (const key of due) if (underWay.size < limits.concurrency && !stopped) begin(key);
      // Whoever ends looks again: there is room then.
      if (underWay.size < limits.concurrency) arm(await queue.nextWakeAt());
    } while (wokenAgain && !stopped);
  }

  function begin(key: Key): void {
    const id = queue.idOf(key);
    if (underWay.has(id)) return;
    const work = queue.work(key).then(
      () => {
        underWay.delete(id);
        wake();
      },
      async (err: unknown) => {
        logger.warn({ err, id, queue: queue.name }, "could not do what is due; it is tried again");
        // When the database itself is away, so is this: then the next look waits.
        await queue.postpone(key, now() + limits.retryMaxMs).catch(() => undefined);
        underWay.delete(id);
        armIn(limits.databaseRetryMs);
      },
    );
    underWay.set(id, work);
  }

  function arm(wakeAtMs: number | undefined): void {
    clearTimeout(timer);
    if (wakeAtMs === undefined || stopped) return;
    // A row under way may still have its old time.
    const leastMs = underWay.size > 0 ? limits.retryMinMs : 0;
    armIn(Math.max(leastMs, wakeAtMs - now()), wakeAtMs);
  }

  /** No timer waits for long without looking at the clock, which may have been set; the database need not be asked for that. */
  function armIn(delayMs: number, wakeAtMs?: number): void {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(
      () => {
        if (wakeAtMs !== undefined && now() < wakeAtMs) armIn(wakeAtMs - now(), wakeAtMs);
        else wake();
      },
      Math.min(delayMs, limits.timerMaxMs),
    );
  }

  function wake(): void {
    wokenAgain = true;
    if (stopped || looking !== undefined) return;
    looking = look().then(
      () => {
        looking = undefined;
        if (wokenAgain) wake();
      },
      (err: unknown) => {
        looking = undefined;
        if (!stopped) logger.warn({ err, queue: queue.name }, "cannot see what is due; the database is asked again");
        armIn(limits.databaseRetryMs);
      },
    );
  }

  return {
    wake,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking;
      await Promise.all(underWay.values());
    },
  };
}
