import { fromBinary } from "@bufbuild/protobuf";
import type { JournalRecord } from "@heddle/journal";
import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";

export function toEvents(records: readonly JournalRecord[]): ExecutionEvent[] {
  return records.map((record) => fromBinary(ExecutionEventSchema, record.bytes));
}
