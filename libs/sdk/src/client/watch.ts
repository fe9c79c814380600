import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import type { RpcClient } from "@heddle/rpc";
import { WATCH_OUTAGE_MAX_MS } from "../limits.ts";
import { isPassing, retryDelayMs } from "./call.ts";
import { plainEvent, type ExecutionEvent } from "./execution-event.ts";
import { plainMachineEvent, type MachineEvent } from "./machine-event.ts";

export interface WatchOptions {
  /** Last event that the caller has; default 0: the whole history. */
  afterSeq?: number;
  signal?: AbortSignal;
  /** How long to try to come back after the stream broke; default 5 minutes. */
  outageMaxMs?: number;
}

/** The history of an execution and what happens next, to its end. */
export function watchExecution(
  rpc: RpcClient<typeof ExecutionService>,
  executionId: string,
  options: WatchOptions,
): AsyncGenerator<ExecutionEvent, void, undefined> {
  return follow((afterSeq, signal) => rpc.watchExecution({ executionId, afterSeq }, { signal }), plainEvent, options);
}

/** The history of a machine and what happens next, to its end. */
export function watchMachine(
  rpc: RpcClient<typeof StateMachineService>,
  machineId: string,
  options: WatchOptions,
): AsyncGenerator<MachineEvent, void, undefined> {
  return follow(
    (afterSeq, signal) => rpc.watchMachine({ machineId, afterSeq }, { signal }),
    plainMachineEvent,
    options,
  );
}

/** When the stream breaks it is opened again after the last event, so that none is missing and none comes twice. */
async function* follow<Message, Event extends { seq: number }>(
  open: (afterSeq: bigint, signal: AbortSignal | undefined) => AsyncIterable<{ events: Message[] }>,
  plain: (message: Message) => Event,
  { afterSeq = 0, signal, outageMaxMs = WATCH_OUTAGE_MAX_MS }: WatchOptions,
): AsyncGenerator<Event, void, undefined> {
  let lastSeq = afterSeq;
  let failures = 0;
  let brokenAt = 0;
  for (;;) {
    try {
      for await (const { events } of open(BigInt(lastSeq), signal)) {
        failures = 0;
        for (const message of events) {
          const event = plain(message);
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
