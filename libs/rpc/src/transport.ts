import type { DescMessage, DescMethodBiDiStreaming, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";

/** What `new Headers()` takes. */
export type HeaderFields = ConstructorParameters<typeof Headers>[0];

/**
 * A way to reach services: over gRPC, over Connect, or within the process. Callers need not care which; they make typed
 * clients on it with `createRpcClient`, and open hot streams with `openStream`.
 */
export interface RpcTransport extends Transport {
  /**
   * Opens a bidirectional stream with callbacks in place of iterables: no promise per message on the caller's side.
   * Errors arrive in `onEnd` only, also when the peer cannot be reached; this never throws.
   */
  openStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
    handlers: StreamHandlers<MessageShape<O>>,
    options?: OpenStreamOptions,
  ): BidiStream<MessageInitShape<I>>;
  /** Closes connections; calls that are under way end with CANCELED. */
  close(): void;
}

export interface StreamHandlers<O> {
  /** Within one process the message is the very object that the peer sent: neither side may change it. */
  onMessage(message: O): void;
  /** The stream is over, said exactly once: no error after a clean end, else a DomainError or a ConnectError. */
  onEnd(error: Error | undefined): void;
  /** After `send` gave false: there is room again. */
  onDrain?(): void;
}

export interface OpenStreamOptions {
  /** Cancels the stream when it aborts. */
  signal?: AbortSignal;
  headers?: HeaderFields;
}

export interface BidiStream<I> {
  /**
   * Sends a message; false asks to hold back until `onDrain` (it is sent all the same). After the end nothing is sent.
   * Who does not hold back finds the stream ended with RESOURCE_EXHAUSTED `OVERLOADED`.
   */
  send(message: I): boolean;
  /** Says that nothing more will be sent; messages still arrive until the peer ends too. */
  close(): void;
  /** Ends the stream at once in both directions. */
  cancel(): void;
  /** Stops reading, so that the peer is slowed down; messages that are on their way may still arrive. */
  pause(): void;
  resume(): void;
}
