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
  /** The stream is over, whoever ended it. */
  close(): void;
}

export interface DuplexOptions<I, O> {
  requests: AsyncIterable<I>;
  signal: AbortSignal;
  /** Gets the first frame; throws when it is no hello. */
  open(first: I, wake: () => void): DuplexSession<I, O>;
  /** Keeps the function that ends the stream from outside. @returns what forgets it. */
  register(close: (reason: DomainError) => void): () => void;
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

  const session = options.open(first.value, bell.ring);
  const { outbox } = session;
  let over: { error: Error | undefined } | undefined;
  const end = (error?: Error) => {
    over ??= { error };
    bell.ring();
  };
  const onAbort = () => end(toError(signal.reason));
  const unregister = options.register((reason) => {
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
