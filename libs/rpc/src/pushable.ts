import { DomainError } from "@heddle/errors";
import { reasonOf } from "./abortable.ts";
import { isDrainingError } from "./drain.ts";
import { PUSHABLE_MAX_ITEMS } from "./limits.ts";
import { RpcReason } from "./reasons.ts";

const COMPACT_AFTER_ITEMS = 1_024;

export interface PushableOptions {
  /** Items that may wait; one more is refused with an error. Default PUSHABLE_MAX_ITEMS. */
  maxItems?: number;
  /** `push` returns false from this many waiting items on. Default a quarter of `maxItems`. */
  highWaterMark?: number;
  /**
   * The handler's `context.signal`: when it aborts, the queue fails with its reason, and items that wait are dropped if
   * the client is gone. Without it a handler that waits for the next item would wait for ever after a disconnect.
   */
  signal?: AbortSignal;
  /** Called when the last item is taken after `push` gave false: there is room again. */
  onDrain?: () => void;
  /** Called once when the reader has stopped reading, for whatever reason. */
  onClosed?: () => void;
}

/** A queue from producers that push to one stream that pulls. */
export interface Pushable<T> extends AsyncIterable<T> {
  /**
   * Adds an item; false asks the producer to hold back (it was added all the same). After the end items are dropped and
   * the answer is false. @throws DomainError RESOURCE_EXHAUSTED `OVERLOADED` when `maxItems` wait.
   */
  push(item: T): boolean;
  /** For the reader, between two items: takes what waits, at most `max` items, without waiting. */
  drainBatch(max: number): T[];
  /** Everything that waits, as arrays of at most `max`: one frame for many items, without a timer. */
  batches(max: number): AsyncIterable<T[]>;
  /** Ends the stream after the items that wait. */
  end(): void;
  /** Fails the stream after the items that wait. */
  fail(error: Error): void;
  readonly size: number;
  readonly closed: boolean;
}

/** Creates the outgoing queue of a stream handler: `yield* out`, or `for await (const batch of out.batches(100))`. */
export function createPushable<T>(options: PushableOptions = {}): Pushable<T> {
  const { maxItems = PUSHABLE_MAX_ITEMS, signal, onClosed, onDrain } = options;
  const highWaterMark = options.highWaterMark ?? Math.ceil(maxItems / 4);
  // Items are taken at `head`: shift() would move every item for each one taken.
  let items: T[] = [];
  let head = 0;
  let outcome: { error?: Error } | undefined;
  let closed = false;
  let full = false;
  let wake: (() => void) | undefined;

  const size = () => items.length - head;
  const notify = () => {
    const waiting = wake;
    wake = undefined;
    waiting?.();
  };
  const finish = (error?: Error) => {
    if (outcome !== undefined) return;
    outcome = { error };
    notify();
  };
  const onAbort = () => {
    const reason = reasonOf(signal as AbortSignal);
    finish(reason);
    // A draining server still sends what waits; a client that has gone reads nothing more.
    if (!isDrainingError(reason)) close();
  };
  const close = () => {
    if (closed) return;
    closed = true;
    finish();
    items = [];
    head = 0;
    signal?.removeEventListener("abort", onAbort);
    onClosed?.();
  };
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });

  function drainBatch(max: number): T[] {
    if (head === 0 && items.length <= max) {
      const all = items;
      items = [];
      sayDrained();
      return all;
    }
    const batch = items.slice(head, head + max);
    advance(batch.length);
    return batch;
  }

  function drainOne(): T {
    const item = items[head] as T;
    advance(1);
    return item;
  }

  function advance(count: number): void {
    head += count;
    // Lets go of what was taken now and then: a queue that is never quite empty would keep all that ever passed.
    if (head === items.length || head >= COMPACT_AFTER_ITEMS) {
      items = items.slice(head);
      head = 0;
    }
    if (items.length === 0) sayDrained();
  }

  function sayDrained(): void {
    if (!full) return;
    full = false;
    onDrain?.();
  }

  /** An iterator over what `take` gives whenever items wait. */
  function iterate<R>(take: () => R): AsyncIterator<R> {
    return {
      async next(): Promise<IteratorResult<R>> {
        while (size() === 0) {
          if (outcome !== undefined) {
            const { error } = outcome;
            outcome = {};
            close();
            if (error !== undefined) throw error;
            return { done: true, value: undefined };
          }
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        return { done: false, value: take() };
      },
      return(value?: unknown) {
        close();
        return Promise.resolve({ done: true, value });
      },
      // connect's clients demand it of what they send.
      async throw(reason: Error) {
        close();
        throw reason;
      },
    };
  }

  return {
    push(item) {
      if (outcome !== undefined) return false;
      if (size() >= maxItems) throw backlogFull(maxItems);
      items.push(item);
      if (wake !== undefined) notify();
      full ||= size() >= highWaterMark;
      return !full;
    },
    drainBatch,
    batches: (max) => ({ [Symbol.asyncIterator]: () => iterate(() => drainBatch(max)) }),
    end: () => finish(),
    fail: finish,
    get size() {
      return size();
    },
    get closed() {
      return outcome !== undefined;
    },
    [Symbol.asyncIterator]: () => iterate(drainOne),
  };
}

export function backlogFull(maxItems: number): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: RpcReason.overloaded,
    message: `${maxItems} messages wait in this stream because its reader is too slow; read faster, or hold back when told to`,
  });
}
