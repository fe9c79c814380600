import { createSqlPoisonStore } from "@heddle/events";
import type { Database } from "@heddle/store";

/** What the service has set aside, as its DiagnosticsService tells it. */
export async function summarizeParked(
  database: Database,
): Promise<{ group: string; topic: string; count: bigint; lastError: string }[]> {
  const parked = await createSqlPoisonStore({ transaction: database.transaction }).summarize();
  return parked.map(({ messages, ...rest }) => ({ ...rest, count: BigInt(messages) }));
}
