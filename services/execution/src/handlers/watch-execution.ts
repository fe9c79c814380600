import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { watchHistory } from "@heddle/journal-service";
import {
  type WatchExecutionRequest,
  type WatchExecutionResponse,
  WatchExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { toEvents } from "../domain/to-events.ts";
import { type ExecutionContext, idOf, readExecution } from "./context.ts";

export async function* watchExecution(
  context: ExecutionContext,
  request: WatchExecutionRequest,
  call: HandlerContext,
): AsyncIterable<WatchExecutionResponse> {
  const { runtime, hub } = context;
  const id = idOf(request);
  const pages = watchHistory({
    runtime,
    hub,
    id,
    afterSeq: Number(request.afterSeq),
    isEnded: async () => (await readExecution(context, id)).state.endedAt !== undefined,
    signal: call.signal,
  });
  for await (const page of pages) yield create(WatchExecutionResponseSchema, { events: toEvents(page) });
}
