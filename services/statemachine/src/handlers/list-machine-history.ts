import { create, fromBinary } from "@bufbuild/protobuf";
import type { JournalRecord } from "@heddle/journal";
import { takePage } from "@heddle/journal-service";
import {
  type StateMachineEvent,
  StateMachineEventSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import {
  type ListMachineHistoryRequest,
  type ListMachineHistoryResponse,
  ListMachineHistoryResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { decodePageToken, encodePageToken } from "@heddle/store";
import { idOf, type MachineContext, readMachine } from "./context.ts";

const DEFAULT_PAGE_SIZE = 100;

export async function listMachineHistory(
  context: MachineContext,
  request: ListMachineHistoryRequest,
): Promise<ListMachineHistoryResponse> {
  const id = idOf(request);
  const filter = { machineId: id };
  const afterSeq = request.pageToken === "" ? 0 : decodePageToken<number>(request.pageToken, filter);
  const pageSize = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
  const records = await context.runtime.readHistory(id, { afterSeq, limit: pageSize + 1 });
  // Only a machine that does not exist has no history at all.
  if (records.length === 0 && afterSeq === 0) await readMachine(context, id);
  const page = takePage(records, pageSize);
  const last = page.at(-1);
  return create(ListMachineHistoryResponseSchema, {
    events: toEvents(page),
    nextPageToken: records.length > page.length && last !== undefined ? encodePageToken(last.seq, filter) : "",
  });
}

export function toEvents(records: readonly JournalRecord[]): StateMachineEvent[] {
  return records.map((record) => fromBinary(StateMachineEventSchema, record.bytes));
}
