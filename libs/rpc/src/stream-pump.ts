import type { DomainError } from "@heddle/errors";
import { PUSHABLE_MAX_ITEMS, STREAM_HIGH_WATER_MARK } from "./limits.ts";
import { backlogFull, createPushable } from "./pushable.ts";
import { toDomainError } from "./to-domain-error.ts";
import type { BidiStream, OpenStreamOptions, StreamHandlers } from "./transport.ts";

/** Opens a stream of iterables: takes what is to be sent, gives what arrives, ends when the signal aborts. */
export type StartStream<I, O> = (input: AsyncIterable<I>, signal: AbortSignal) => AsyncIterable<O>;

/** The callback form of a stream over any transport that knows iterables only. */
export function pumpStream<I, O>(
  start: StartStream<I, O>,
  handlers: StreamHandlers<O>,
  options: OpenStreamOptions,
  turn: () => Promise<void> | undefined,
): BidiStream<I> {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  const outgoing = createPushable<I>({
    highWaterMark: STREAM_HIGH_WATER_MARK,
    onDrain: () => handlers.onDrain?.(),
  });
  let overflow: DomainError | undefined;
  let paused: Promise<void> | undefined;
  let unpause: (() => void) | undefined;

  async function pump(): Promise<void> {
    for await (const message of start(outgoing, abort.signal)) {
      if (paused !== undefined) await paused;
      handlers.onMessage(message);
      const nextTurn = turn();
      if (nextTurn !== undefined) await nextTurn;
    }
  }
  const finish = (error: Error | undefined) => {
    options.signal?.removeEventListener("abort", cancel);
    outgoing.end();
    cancel();
    handlers.onEnd(overflow ?? error);
  };
  if (options.signal?.aborted === true) cancel();
  else options.signal?.addEventListener("abort", cancel, { once: true });
  // In a microtask, as over a network: the caller has its handle before the first callback.
  queueMicrotask(() => {
    pump().then(
      () => finish(undefined),
      (error: unknown) => finish(toDomainError(error)),
    );
  });

  return {
    send(message) {
      if (outgoing.size < PUSHABLE_MAX_ITEMS) return outgoing.push(message);
      overflow ??= backlogFull(PUSHABLE_MAX_ITEMS);
      cancel();
      return false;
    },
    close: () => outgoing.end(),
    cancel() {
      unpause?.();
      cancel();
    },
    pause() {
      paused ??= new Promise((resolve) => {
        unpause = resolve;
      });
    },
    resume() {
      paused = undefined;
      unpause?.();
    },
  };
}
