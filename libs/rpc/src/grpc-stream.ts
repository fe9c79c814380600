import type { DescMessage, DescMethodStreaming, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { StreamResponse } from "@connectrpc/connect";
import type { ClientDuplexStream, Metadata } from "@grpc/grpc-js";
import { headersOf } from "./grpc-call.ts";
import { PUSHABLE_MAX_ITEMS } from "./limits.ts";
import { backlogFull } from "./pushable.ts";
import { fromServiceError, toDomainError } from "./to-domain-error.ts";
import type { BidiStream, StreamHandlers } from "./transport.ts";
import { wrapIterable } from "./wrap-iterable.ts";

/** The callback form of a stream: straight from grpc-js's events. */
export function openGrpcStream<I, O>(
  call: ClientDuplexStream<I, O>,
  handlers: StreamHandlers<O>,
  signal: AbortSignal | undefined,
): BidiStream<I> {
  let ended = false;
  const cancel = () => call.cancel();
  const end = (error: Error | undefined) => {
    if (ended) return;
    ended = true;
    signal?.removeEventListener("abort", cancel);
    handlers.onEnd(error);
  };
  call.on("data", (message: O) => {
    if (ended) return;
    try {
      handlers.onMessage(message);
    } catch (error) {
      // A reader that fails must hear of it itself, not leave a stream behind that nobody reads.
      call.cancel();
      end(toDomainError(error));
    }
  });
  call.on("drain", () => {
    if (!ended) handlers.onDrain?.();
  });
  call.on("error", (error) => end(toDomainError(error)));
  call.on("end", () => end(undefined));
  if (signal?.aborted === true) cancel();
  else signal?.addEventListener("abort", cancel, { once: true });

  return {
    send(message) {
      if (ended) return false;
      if (call.writableLength < PUSHABLE_MAX_ITEMS) return call.write(message);
      call.cancel();
      end(backlogFull(PUSHABLE_MAX_ITEMS));
      return false;
    },
    close: () => {
      call.end();
    },
    cancel,
    pause: () => {
      call.pause();
    },
    resume: () => {
      call.resume();
    },
  };
}

/** The form that connect's clients expect: iterables both ways. All kinds of streams are the same on the wire. */
export async function streamOverGrpc<I extends DescMessage, O extends DescMessage>(
  call: ClientDuplexStream<MessageInitShape<I>, MessageShape<O>>,
  method: DescMethodStreaming<I, O>,
  input: AsyncIterable<MessageInitShape<I>>,
  signal: AbortSignal | undefined,
): Promise<StreamResponse<I, O>> {
  let headers: Metadata | undefined;
  let trailers: Metadata | undefined;
  let over = false;
  const cancel = () => call.cancel();
  const finish = () => {
    over = true;
    signal?.removeEventListener("abort", cancel);
    call.emit("drain");
  };
  call.on("metadata", (metadata) => (headers = metadata));
  call.on("status", (status) => (trailers = status.metadata));
  call.once("error", finish);
  call.once("close", finish);
  if (signal?.aborted === true) cancel();
  else signal?.addEventListener("abort", cancel, { once: true });

  void (async () => {
    try {
      for await (const message of input) {
        if (over) break;
        if (!call.write(message)) await new Promise((resolve) => call.once("drain", resolve));
      }
      call.end();
    } catch {
      // What makes the caller's own input fail the caller knows; the server must not take the rest for complete.
      cancel();
    }
  })();

  const message = wrapIterable<MessageShape<O>>(call, (next) => ({
    async next() {
      try {
        return await next();
      } catch (error) {
        throw fromServiceError(error) ?? error;
      }
    },
    left: cancel,
  }));
  return {
    stream: true,
    service: method.parent,
    method,
    message,
    get header() {
      return headersOf(headers);
    },
    get trailer() {
      return headersOf(trailers);
    },
  };
}
