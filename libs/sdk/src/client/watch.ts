import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { RpcClient } from "@heddle/rpc";
import { WATCH_OUTAGE_MAX_MS } from "../limits.ts";
import { isPassing, retryDelayMs } from "./call.ts";
import { plainEvent, type ExecutionEvent } from "./execution-event.ts";

export interface WatchOptions {
  /** Last event that the caller has; default 0: the whole history. */
  afterSeq?: number;
  signal?: AbortSignal;
  /** How long to try to come back after the stream broke; default 5 minutes. */
  outageMaxMs?: number;
}

/**
 * The history of an execution and what happens next, to its end. When the stream breaks it is opened again after the last
 * event, so that none is missing and none comes twice.
 */
export async function* watchExecution(
  executions: RpcClient<typeof ExecutionService>,
  executionId: string,
  { afterSeq = 0, signal, outageMaxMs = WATCH_OUTAGE_MAX_MS }: WatchOptions,
): AsyncGenerator<ExecutionEvent, void, undefined> {
  let lastSeq = afterSeq;
  let failures = 0;
  let brokenAt = 0;
  for (;;) {
    try {
      const request = { executionId, afterSeq: BigInt(lastSeq) };
      for await (const { events } of executions.watchExecution(request, { signal })) {
        failures = 0;
        for (const message of events) {
          const event = plainEvent(message);
          if (event.seq <= lastSeq) continue;
          lastSeq = event.seq;
          yield event;
        }
      }
      return;
    } catch (error) {
      if (!isPassing(error) || signal?.aborted === true) throw error;
      if (failures === 0) brokenAt = performance.now();
      failures += 1;
      const delayMs = retryDelayMs(error, failures);
      if (performance.now() + delayMs - brokenAt >= outageMaxMs) throw error;
      await sleep(delayMs, undefined, { signal });
    }
  }
}
