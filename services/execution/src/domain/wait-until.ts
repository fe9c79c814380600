import type { JournalRuntime } from "@heddle/journal";
import type { Hub } from "@heddle/journal-service";
import type { Execution } from "./aggregate.ts";

/** Resolves when `isReached` holds of the execution, when the time is over, when the caller has gone, or when there is no such execution. */
export async function waitUntil(
  { runtime, hub }: { runtime: Pick<JournalRuntime<Execution, never>, "read">; hub: Hub },
  id: string,
  isReached: (execution: Execution) => boolean,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
): Promise<void> {
  let over = false;
  let wake = (): void => {};
  const unsubscribe = hub.subscribe(id, () => wake());
  // The timer decides and no clock: one that fires a fraction early would leave the loop waiting for nothing.
  const timer = setTimeout(() => {
    over = true;
    wake();
  }, waitMs);
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal.aborted && !over) {
      // Armed before the read: a commit between the read and the await below is not missed.
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const execution = await runtime.read(id);
      if (execution === undefined || isReached(execution)) return;
      if (!over) await woken;
    }
  } finally {
    unsubscribe();
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
