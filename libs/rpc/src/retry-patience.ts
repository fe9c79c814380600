import type { HandlerContext } from "@connectrpc/connect";
import type { PartitionDirectory } from "./partition-directory.ts";

/** How long one call goes on looking for its owner. */
export interface RetryPatience {
  /** Waits until owners have changed, or for a growing pause. Throws `failure` when the time is over. */
  pause(failure: unknown): Promise<void>;
}

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 400;
/** The refusal must reach the caller before its deadline does: it says more. */
const ANSWER_MARGIN_MS = 100;

export function createRetryPatience(
  directory: PartitionDirectory,
  waitMaxMs: number,
  context: HandlerContext,
): RetryPatience {
  const remainingMs = (context.timeoutMs() ?? Number.POSITIVE_INFINITY) - ANSWER_MARGIN_MS;
  const endsAt = performance.now() + Math.min(waitMaxMs, remainingMs);
  let pauseMs = FIRST_PAUSE_MS;
  return {
    async pause(failure) {
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0 || context.signal.aborted) throw failure;
      await changeOrTimeout(directory, Math.min(pauseMs, leftMs), context.signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      context.signal.throwIfAborted();
    },
  };
}

function changeOrTimeout(directory: PartitionDirectory, timeoutMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      unsubscribe();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, timeoutMs);
    const unsubscribe = directory.onOwnersChange(end);
    signal.addEventListener("abort", end, { once: true });
  });
}
