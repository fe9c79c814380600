import { create } from "@bufbuild/protobuf";
import { takePage } from "@heddle/journal-service";
import {
  type ListHistoryRequest,
  type ListHistoryResponse,
  ListHistoryResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { decodePageToken, encodePageToken } from "@heddle/store";
import { toEvents } from "../domain/to-events.ts";
import { type ExecutionContext, idOf, readExecution } from "./context.ts";

const DEFAULT_PAGE_SIZE = 100;

export async function listHistory(
  context: ExecutionContext,
  request: ListHistoryRequest,
): Promise<ListHistoryResponse> {
  const id = idOf(request);
  const filter = { executionId: id };
  const afterSeq = request.pageToken === "" ? 0 : decodePageToken<number>(request.pageToken, filter);
  const pageSize = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
  const records = await context.runtime.readHistory(id, { afterSeq, limit: pageSize + 1 });
  // Only an execution that does not exist has no history at all.
  if (records.length === 0 && afterSeq === 0) await readExecution(context, id);
  const page = takePage(records, pageSize);
  const last = page.at(-1);
  return create(ListHistoryResponseSchema, {
    events: toEvents(page),
    nextPageToken: records.length > page.length && last !== undefined ? encodePageToken(last.seq, filter) : "",
  });
}
