import type { JournalRecord } from "@heddle/journal";
import { maxHistoryMessageBytes } from "./limits.ts";

/** The first records that fit into one message together, at least one: an event alone always fits. */
export function takePage(records: readonly JournalRecord[], maxEvents: number): readonly JournalRecord[] {
  let sizeBytes = 0;
  let count = 0;
  for (const record of records) {
    sizeBytes += record.bytes.length;
    if (count === maxEvents || (count > 0 && sizeBytes > maxHistoryMessageBytes)) break;
    count += 1;
  }
  return count === records.length ? records : records.slice(0, count);
}
