import type { JournalRuntime } from "@heddle/journal";
import type { Hub } from "@heddle/journal-service";
import type { Execution } from "./aggregate.ts";
import { waitUntil } from "./wait-until.ts";

/** Resolves when the execution has ended, when the time is over, or when the caller has gone. */
export async function waitForEnd(
  context: { runtime: Pick<JournalRuntime<Execution, never>, "read">; hub: Hub },
  id: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  await waitUntil(context, id, ({ state }) => state.endedAt !== undefined, { waitMs, signal });
}
