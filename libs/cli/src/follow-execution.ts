import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@heddle/errors";
import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { StateMachineEvent } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { CliClient } from "./client.ts";
import { watchRetryMs } from "./limits.ts";

interface FollowOptions {
  /** Last event that is known; 0n for the whole history. */
  afterSeq: bigint;
  signal: AbortSignal;
  /** The server went away and is asked again; not called for the first attempt. */
  onReconnect?(attempt: number): void;
  /** Pauses between attempts in a row; when they are used up the error is thrown. */
  retryMs?: readonly number[];
}

/**
 * Yields what happens in an execution until it has ended, each event once and in order, over restarts of the server.
 * Throws what the server answers otherwise, and the signal's reason when it aborts.
 */
export function followExecution(
  { executions }: Pick<CliClient, "executions">,
  { executionId, ...options }: FollowOptions & { executionId: string },
): AsyncGenerator<ExecutionEvent[], void, undefined> {
  return follow((afterSeq, signal) => executions.watchExecution({ executionId, afterSeq }, { signal }), options);
}

/** The same for a machine. */
export function followMachine(
  { machines }: Pick<CliClient, "machines">,
  { machineId, ...options }: FollowOptions & { machineId: string },
): AsyncGenerator<StateMachineEvent[], void, undefined> {
  return follow((afterSeq, signal) => machines.watchMachine({ machineId, afterSeq }, { signal }), options);
}

async function* follow<Event extends { seq: bigint }>(
  open: (afterSeq: bigint, signal: AbortSignal) => AsyncIterable<{ events: Event[] }>,
  options: FollowOptions,
): AsyncGenerator<Event[], void, undefined> {
  const { signal, retryMs = watchRetryMs } = options;
  let { afterSeq } = options;
  let attempt = 0;
  for (;;) {
    try {
      for await (const { events } of open(afterSeq, signal)) {
        attempt = 0;
        const news = events.filter(({ seq }) => seq > afterSeq);
        const last = news.at(-1);
        if (last === undefined) continue;
        afterSeq = last.seq;
        yield news;
      }
      signal.throwIfAborted();
      return;
    } catch (error) {
      signal.throwIfAborted();
      const pause = retryMs[attempt];
      if (!isUnavailable(error) || pause === undefined) throw error;
      attempt += 1;
      options.onReconnect?.(attempt);
      await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof DomainError && error.kind === "unavailable";
}
