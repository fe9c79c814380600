import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import {
  type WatchExecutionRequest,
  type WatchExecutionResponse,
  WatchExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { takePage, toEvents } from "../domain/history-page.ts";
import { maxEventsPerWatchMessage, maxWatches } from "../domain/limits.ts";
import { type ExecutionContext, idOf, readExecution } from "./context.ts";

/**
 * A commit is only a wake-up call; what is sent is always read from the history. So a slow watcher holds no queue, misses
 * nothing, and sees the same after a reconnect as without one.
 */
export async function* watchExecution(
  context: ExecutionContext,
  request: WatchExecutionRequest,
  call: HandlerContext,
): AsyncIterable<WatchExecutionResponse> {
  const { runtime, hub } = context;
  const id = idOf(request);
  if (hub.size >= maxWatches) throw tooManyWatches();
  await readExecution(context, id);
  let wake = (): void => {};
  const unsubscribe = hub.subscribe(id, () => wake());
  const onAbort = (): void => wake();
  call.signal.addEventListener("abort", onAbort, { once: true });
  try {
    let afterSeq = Number(request.afterSeq);
    let first = true;
    while (!call.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      // Before the history: what is committed after this look is in a later round.
      const ended = (await readExecution(context, id)).state.endedAt !== undefined;
      const records = await runtime.readHistory(id, { afterSeq, limit: maxEventsPerWatchMessage });
      const page = takePage(records, maxEventsPerWatchMessage);
      if (page.length > 0 || first) {
        yield create(WatchExecutionResponseSchema, { events: toEvents(page) });
        first = false;
        afterSeq = page.at(-1)?.seq ?? afterSeq;
        if (page.length < records.length || page.length === maxEventsPerWatchMessage) continue;
      }
      if (ended) return;
      if (!call.signal.aborted) await woken;
    }
    call.signal.throwIfAborted();
  } finally {
    unsubscribe();
    call.signal.removeEventListener("abort", onAbort);
  }
}

function tooManyWatches(): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: "OVERLOADED",
    message: `this process serves ${maxWatches} watches and waits already; come back later or ask another replica`,
    retryAfterMs: 1000,
  });
}
