import { DomainError } from "@heddle/errors";
import type { JournalRecord, JournalRuntime } from "@heddle/journal";
import { takePage } from "./history-page.ts";
import type { Hub } from "./hub.ts";
import { maxEventsPerWatchMessage, maxWatches } from "./limits.ts";

export interface WatchHistoryOptions {
  runtime: Pick<JournalRuntime<unknown, never>, "readHistory">;
  hub: Hub;
  id: string;
  /** Last event that the watcher has. */
  afterSeq: number;
  /** Whether nothing will follow. Throws when there is nothing of this id. */
  isEnded(): Promise<boolean>;
  signal: AbortSignal;
}

/**
 * The events after a seq, some at a time, and then what happens, until the end. The first page may be empty.
 *
 * A commit is only a wake-up call; what is sent is always read from the history. So a slow watcher holds no queue, misses
 * nothing, and sees the same after a reconnect as without one.
 */
export async function* watchHistory(options: WatchHistoryOptions): AsyncIterable<readonly JournalRecord[]> {
  const { runtime, hub, id, isEnded, signal } = options;
  let { afterSeq } = options;
  if (hub.size >= maxWatches) throw tooManyWatches();
  await isEnded();
  let wake = (): void => {};
  const unsubscribe = hub.subscribe(id, () => wake());
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    let first = true;
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      // Before the history: what is committed after this look is in a later round.
      const ended = await isEnded();
      const records = await runtime.readHistory(id, { afterSeq, limit: maxEventsPerWatchMessage });
      const page = takePage(records, maxEventsPerWatchMessage);
      if (page.length > 0 || first) {
        yield page;
        first = false;
        afterSeq = page.at(-1)?.seq ?? afterSeq;
        if (page.length < records.length || page.length === maxEventsPerWatchMessage) continue;
      }
      if (ended) return;
      if (!signal.aborted) await woken;
    }
    signal.throwIfAborted();
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", onAbort);
  }
}

function tooManyWatches(): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: "OVERLOADED",
    message: `this process serves ${maxWatches} watches and waits already; come back later or ask another replica`,
    retryAfterMs: 1000,
  });
}
