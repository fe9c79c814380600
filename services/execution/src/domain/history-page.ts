import { fromBinary } from "@bufbuild/protobuf";
import type { JournalRecord } from "@heddle/journal";
import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
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

export function toEvents(records: readonly JournalRecord[]): ExecutionEvent[] {
  return records.map((record) => fromBinary(ExecutionEventSchema, record.bytes));
}
