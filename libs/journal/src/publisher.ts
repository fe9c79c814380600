import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@heddle/errors";
import type { Database } from "@heddle/store";
import { silentLogger } from "./core.ts";
import { loadCursors, storeCursors } from "./cursors.ts";
import { defaultPublisherLimits } from "./limits.ts";
import { createTail, type Tail } from "./tail.ts";
import type { JournalEntry, JournalRuntime, Publisher, PublisherOptions } from "./types.ts";

interface Follower {
  partition: number;
  /** Offset of the last entry that `publish` took. */
  published: number;
  /** Offset that is stored. */
  stored: number;
  tail: Tail;
}

interface Gathered {
  entries: JournalEntry[];
  /** How far partitions are once the entries are published, beyond their own entries. */
  reached: { follower: Follower; offset: number }[];
}

const SAFETY_POLL_MS = 1_000;

/**
 * Follows the journal of the partitions that the runtime owns, each in order and without gaps, and moves its cursors
 * after `publish` took the entries. Commits wake it; from the database it reads only what it did not see committed.
 */
export function createPublisher(
  source: { runtime: PublisherSource; database: Database },
  options: PublisherOptions,
): Publisher {
  const { runtime, database } = source;
  const limits = { ...defaultPublisherLimits, ...options.limits };
  const logger = options.logger ?? silentLogger;
  const followers = new Map<number, Follower>();
  let started = false;
  let stopping = false;
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  let wokenAgain = false;
  let poll: NodeJS.Timeout | undefined;
  let cursorsStoredAt = 0;
  let cursorTimer: NodeJS.Timeout | undefined;
  let waiters: { isDone: () => boolean; resolve: () => void }[] = [];
  const subscriptions: (() => void)[] = [];

  const wake = (): void => {
    wokenAgain = true;
    if (running !== undefined || !started || stopping) return;
    running = run().finally(() => {
      running = undefined;
      if (wokenAgain) wake();
    });
  };

  const run = async (): Promise<void> => {
    let retryMs = limits.retryMinMs;
    while (!stopping) {
      wokenAgain = false;
      try {
        await attach();
        const { entries, reached } = await gather();
        if (entries.length > 0) await options.publish(entries);
        advance(entries, reached);
        if (entries.length === 0 && reached.length === 0) {
          await storeProgress(false);
          if (!wokenAgain) return;
          continue;
        }
        await storeProgress(false);
        retryMs = limits.retryMinMs;
      } catch (error) {
        const isStopped = error instanceof DomainError && error.reason === "SHUTTING_DOWN";
        logger[isStopped ? "debug" : "warn"](
          { err: error, publisher: options.name, retryMs },
          "publishing failed; the same entries are tried again",
        );
        await sleep(retryMs, undefined, { signal: stopped.signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, limits.retryMaxMs);
        wokenAgain = true;
      }
    }
  };

  /** Partitions whose cursor is not known yet. */
  const unattached = new Set<number>();

  const attach = async (): Promise<void> => {
    if (unattached.size === 0) return;
    const wanted = [...unattached];
    const cursors = await loadCursors(database, options.name, wanted);
    for (const partition of wanted) {
      if (!unattached.delete(partition)) continue;
      const published = cursors.get(partition) ?? 0;
      followers.set(partition, { partition, published, stored: published, tail: createTail(limits.tailMaxBytes) });
    }
  };

  /** The next entries, up to the bounds: from memory, or from the database for the partitions that are behind it. */
  const gather = async (): Promise<Gathered> => {
    const due = [...followers.values()].filter(
      (follower) => runtime.headOffset(follower.partition) > follower.published,
    );
    const behind = due.filter((follower) => follower.tail.after(follower.published).length === 0);
    if (behind.length > 0) return await readBehind(behind);
    const taken = createBatch();
    // Begins with another partition each time, so that a busy one does not starve those after it.
    turn = due.length === 0 ? 0 : (turn + 1) % due.length;
    for (const { tail, published } of [...due.slice(turn), ...due.slice(0, turn)]) {
      for (const entry of tail.after(published)) if (!taken.add(entry)) break;
    }
    return { entries: taken.entries, reached: [] };
  };
  let turn = 0;

  const readBehind = async (behind: readonly Follower[]): Promise<Gathered> => {
    const heads = new Map(behind.map((follower) => [follower, runtime.headOffset(follower.partition)]));
    const partitions = behind.map((follower) => follower.partition);
    const from = Math.min(...behind.map((follower) => follower.published));
    const page = await runtime.readJournal(partitions, from, limits.readMaxFlushes);
    const reading = new Map(behind.map((follower) => [follower.partition, follower.published]));
    const taken = createBatch();
    for (const entry of page.entries) {
      const before = reading.get(entry.partition) as number;
      if (entry.offset <= before) continue;
      // A publisher of a new name begins with the oldest entry that is still there; after that nothing may be missing.
      if (before > 0 && entry.previousOffset > before) throw new Error(missing(options.name, entry, before));
      if (!taken.add(entry)) return { entries: taken.entries, reached: [] };
      reading.set(entry.partition, entry.offset);
    }
    // All of the page is taken: also those without an entry in it are that far.
    const reached = behind.map((follower) => ({
      follower,
      offset: page.isFull ? page.readOffset : (heads.get(follower) as number),
    }));
    return { entries: taken.entries, reached };
  };

  const createBatch = () => {
    const entries: JournalEntry[] = [];
    let events = 0;
    let bytes = 0;
    return {
      entries,
      /** False when it is full. The first entry is always taken. */
      add(entry: JournalEntry): boolean {
        if (entries.length > 0 && (events >= limits.batchMaxEvents || bytes >= limits.batchMaxBytes)) return false;
        entries.push(entry);
        events += entry.records.length;
        bytes += entry.sizeBytes;
        return true;
      },
    };
  };

  const advance = (entries: readonly JournalEntry[], reached: Gathered["reached"]): void => {
    for (const { partition, offset } of entries) {
      // Lost while it was being published: the next owner publishes it again.
      const follower = followers.get(partition);
      if (follower !== undefined) follower.published = Math.max(follower.published, offset);
    }
    for (const { follower, offset } of reached) follower.published = Math.max(follower.published, offset);
    waiters = waiters.filter(({ isDone, resolve }) => {
      if (!isDone()) return true;
      resolve();
      return false;
    });
  };

  const storeProgress = async (now: boolean): Promise<void> => {
    const moved = [...followers.values()].filter((follower) => follower.published > follower.stored);
    if (moved.length === 0) return;
    const dueInMs = cursorsStoredAt + limits.cursorIntervalMs - performance.now();
    if (!now && dueInMs > 0) {
      cursorTimer ??= setTimeout(() => {
        cursorTimer = undefined;
        wake();
      }, dueInMs);
      return;
    }
    const targets = moved.map(({ partition, published }) => ({ partition, offset: published }));
    await storeCursors(database, options.name, targets);
    cursorsStoredAt = performance.now();
    for (let i = 0; i < moved.length; i++) (moved[i] as Follower).stored = (targets[i] as { offset: number }).offset;
  };

  const lagRows = (): number => {
    let lag = 0;
    for (const { partition, published } of followers.values()) {
      if (runtime.headOffset(partition) > published) lag = Math.max(lag, runtime.lastOffset() - published);
    }
    return lag;
  };

  /** Where nothing is due the cursor may follow the others, so that the journal can be dropped. */
  const moveIdle = (): void => {
    const last = runtime.lastOffset();
    for (const follower of followers.values()) {
      if (runtime.headOffset(follower.partition) <= follower.published) follower.published = last;
    }
    wake();
  };

  return {
    async start() {
      started = true;
      subscriptions.push(
        runtime.onCommit((entries) => {
          for (const entry of entries) followers.get(entry.partition)?.tail.push(entry);
          wake();
        }),
        runtime.onOwnership({
          acquired(partition) {
            unattached.add(partition);
            wake();
          },
          lost(partition) {
            unattached.delete(partition);
            followers.delete(partition);
          },
        }),
        runtime.addLagSource(lagRows),
      );
      poll = setInterval(moveIdle, SAFETY_POLL_MS);
      await attach();
      wake();
    },
    async stop() {
      if (!started || stopping) return;
      stopping = true;
      stopped.abort();
      clearInterval(poll);
      clearTimeout(cursorTimer);
      for (const unsubscribe of subscriptions) unsubscribe();
      await running;
      await storeProgress(true).catch((error: unknown) => {
        logger.warn(
          { err: error, publisher: options.name },
          "the cursors could not be stored; some entries will come again",
        );
      });
      for (const { resolve } of waiters) resolve();
      waiters = [];
    },
    drained() {
      const goals = runtime.ownedPartitions().map((partition) => ({ partition, head: runtime.headOffset(partition) }));
      const isDone = (): boolean =>
        goals.every(({ partition, head }) => head === 0 || (followers.get(partition)?.published ?? -1) >= head);
      if (isDone()) return Promise.resolve();
      return new Promise((resolve) => {
        waiters.push({ isDone, resolve });
        wake();
      });
    },
    lagRows,
  };
}

/** The part of a runtime that a publisher uses, whatever its aggregate. */
export type PublisherSource = Pick<
  JournalRuntime<unknown, unknown>,
  "headOffset" | "lastOffset" | "readJournal" | "onCommit" | "onOwnership" | "addLagSource" | "ownedPartitions"
>;

function missing(name: string, entry: JournalEntry, published: number): string {
  const { partition, offset, previousOffset } = entry;
  return `publisher ${name}: entry ${offset} of partition ${partition} follows ${previousOffset}, but only ${published} is published; something would be skipped, so nothing more is published`;
}
