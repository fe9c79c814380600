import type { JournalRuntime } from "@heddle/journal";
import type { Execution } from "./aggregate.ts";
import type { Hub } from "./hub.ts";

/** Resolves when the execution has ended, when the time is over, or when the caller has gone. */
export async function waitForEnd(
  { runtime, hub }: { runtime: Pick<JournalRuntime<Execution, never>, "read">; hub: Hub },
  id: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  let wake = (): void => {};
  const unsubscribe = hub.subscribe(id, () => wake());
  const timer = setTimeout(() => wake(), waitMs);
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal.aborted && performance.now() < deadline) {
      // Armed before the read: a commit between the read and the await below is not missed.
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const execution = await runtime.read(id);
      if (execution === undefined || execution.state.endedAt !== undefined) return;
      await woken;
    }
  } finally {
    unsubscribe();
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
