import { setTimeout as sleep } from "node:timers/promises";
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
        const batch = await gather();
        if (batch.length === 0) {
          await storeProgress(false);
          if (!wokenAgain) return;
          continue;
        }
        await options.publish(batch);
        advance(batch);
        await storeProgress(false);
        retryMs = limits.retryMinMs;
      } catch (error) {
        logger.warn(
          { err: error, publisher: options.name, retryMs },
          "publishing failed; the same entries are tried again",
        );
        await sleep(retryMs);
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

  /** The next entries of all partitions together, up to the bounds; a partition that is behind reads from the database. */
  const gather = async (): Promise<JournalEntry[]> => {
    const batch: JournalEntry[] = [];
    let events = 0;
    let bytes = 0;
    const isFull = (): boolean => events >= limits.batchMaxEvents || bytes >= limits.batchMaxBytes;
    for (const follower of rotated()) {
      if (isFull()) break;
      let next = follower.published + 1;
      const head = runtime.headOffset(follower.partition);
      if (next > head) continue;
      let entries = follower.tail.from(next);
      if (entries.length === 0) entries = await readBehind(follower, limits.batchMaxEvents);
      for (const entry of entries) {
        if (isFull()) break;
        if (entry.offset !== next) throw new Error(missing(options.name, follower.partition, next, entry.offset));
        batch.push(entry);
        events += entry.records.length;
        bytes += entry.sizeBytes;
        next++;
      }
    }
    return batch;
  };

  const readBehind = async (follower: Follower, limit: number): Promise<JournalEntry[]> => {
    const entries = await runtime.readJournal(follower.partition, follower.published, limit);
    const first = entries[0]?.offset;
    if (first !== undefined && follower.published === 0 && first > 1) {
      // A publisher of a new name begins with the oldest entry that is still there.
      follower.published = first - 1;
      return await readBehind(follower, limit);
    }
    return entries;
  };

  /** Begins with another partition each time, so that a busy one does not starve those behind it. */
  let turn = 0;
  const rotated = (): Follower[] => {
    const all = [...followers.values()];
    if (all.length === 0) return all;
    turn = (turn + 1) % all.length;
    return [...all.slice(turn), ...all.slice(0, turn)];
  };

  const advance = (batch: readonly JournalEntry[]): void => {
    for (const entry of batch) {
      const follower = followers.get(entry.partition);
      // Lost while it was being published: the next owner publishes it again.
      if (follower === undefined || follower.published >= entry.offset) continue;
      follower.published = entry.offset;
      follower.tail.trim(entry.offset);
    }
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
    for (const { partition, published } of followers.values())
      lag += Math.max(runtime.headOffset(partition) - published, 0);
    return lag;
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
      poll = setInterval(wake, SAFETY_POLL_MS);
      await attach();
      wake();
    },
    async stop() {
      if (!started || stopping) return;
      stopping = true;
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
  "headOffset" | "readJournal" | "onCommit" | "onOwnership" | "addLagSource" | "ownedPartitions"
>;

function missing(name: string, partition: number, wanted: number, found: number): string {
  return `publisher ${name}: partition ${partition} continues with offset ${found} where ${wanted} is due; entries would be skipped, so nothing more is published`;
}
