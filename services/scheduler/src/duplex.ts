import type { DomainError } from "@heddle/errors";
import { createDoorbell } from "./doorbell.ts";
import type { Outbox } from "./domain/model.ts";
import { helloExpected } from "./domain/checks.ts";

/** One end of a bidirectional stream, after its first frame. */
export interface DuplexSession<I, O> {
  outbox: Outbox;
  /** A promise makes the reader wait: the peer is slowed down by the stream's own flow control. */
  onFrame(frame: I): Promise<void> | undefined;
  /** Everything that waits to be sent. */
  take(): O[];
  /** Keeps the function that ends the stream from outside. @returns what forgets it. */
  register(close: (reason: DomainError) => void): () => void;
  /** The stream is over, whoever ended it. */
  close(): void;
}

/** The stream is another's: gets all frames, the first one included, and gives the answers. */
export interface PassedOnStream<I, O> {
  passOn(frames: AsyncIterable<I>): AsyncIterable<O>;
}

export interface DuplexOptions<I, O> {
  requests: AsyncIterable<I>;
  signal: AbortSignal;
  /** Gets the first frame; rejects when it is no hello. */
  open(first: I, wake: () => void): Promise<DuplexSession<I, O> | PassedOnStream<I, O>>;
  /** Sent again and again while `open` takes its time, so that the peer sees that somebody is there. */
  waiting?: { everyMs: number; frame: O };
}

/**
 * Runs a stream that is read and written independently: frames are handled as they come, and what gathered in the meantime
 * is sent when the peer takes it. Ends without an error when the peer ends its side.
 */
export async function* runDuplex<I, O>(options: DuplexOptions<I, O>): AsyncGenerator<O> {
  const { signal } = options;
  const bell = createDoorbell();
  const frames = options.requests[Symbol.asyncIterator]();
  const first = await frames.next();
  if (first.done === true) throw helloExpected("the stream ended before it");

  const opening = options.open(first.value, bell.ring);
  const { waiting } = options;
  if (waiting !== undefined) while (!(await isSettledWithin(opening, waiting.everyMs))) yield waiting.frame;
  const session = await opening;
  if ("passOn" in session) {
    yield* session.passOn(withFirst(first.value, frames));
    return;
  }
  const { outbox } = session;
  let over: { error: Error | undefined } | undefined;
  const end = (error?: Error) => {
    over ??= { error };
    bell.ring();
  };
  const onAbort = () => end(toError(signal.reason));
  const unregister = session.register((reason) => {
    outbox.closed ??= reason;
    bell.ring();
  });
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  void readFrames(frames, session, () => over === undefined).then(
    () => end(),
    (error: unknown) => end(toError(error)),
  );
  try {
    for (;;) {
      for (const frame of session.take()) yield frame;
      if (outbox.closed !== undefined) throw outbox.closed;
      if (over?.error !== undefined) throw over.error;
      if (over !== undefined) return;
      await bell.wait();
    }
  } finally {
    over ??= { error: undefined };
    unregister();
    signal.removeEventListener("abort", onAbort);
    session.close();
    // It may be waiting for a frame that never comes; how it ends is of no interest any more.
    Promise.resolve(frames.return?.()).catch(() => undefined);
  }
}

async function isSettledWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  const settled = work.then(
    () => true,
    () => true,
  );
  const isSettled = await Promise.race([settled, tooLong]);
  clearTimeout(timer);
  return isSettled;
}

/** The whole stream again, of which the first frame was taken. */
function withFirst<I>(first: I, rest: AsyncIterator<I>): AsyncIterable<I> {
  let begun = false;
  const iterator: AsyncIterator<I> = {
    next() {
      if (begun) return rest.next();
      begun = true;
      return Promise.resolve({ done: false, value: first });
    },
    // A read that is under way would keep it waiting.
    async return(value) {
      Promise.resolve(rest.return?.()).catch(() => undefined);
      return { done: true, value };
    },
    throw: (error: unknown) => Promise.reject(toError(error)),
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

async function readFrames<I, O>(
  frames: AsyncIterator<I>,
  session: DuplexSession<I, O>,
  isOpen: () => boolean,
): Promise<void> {
  for (;;) {
    const next = await frames.next();
    if (next.done === true || !isOpen()) return;
    const pause = session.onFrame(next.value);
    if (pause !== undefined) await pause;
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
