import type {
  DescMessage,
  DescMethodStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
} from "@bufbuild/protobuf";
import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import { Client, type CallOptions, type Metadata } from "@grpc/grpc-js";
import { reasonOf } from "./abortable.ts";
import { grpcCallOf, headersOf, metadataOf } from "./grpc-call.ts";
import { channelOptions, grpcTarget } from "./grpc-channel.ts";
import { openGrpcStream, streamOverGrpc } from "./grpc-stream.ts";
import { defaultDeadlineMs, DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
import { type ClientTls, grpcCredentials } from "./tls/client-tls.ts";
import { fromServiceError } from "./to-domain-error.ts";
import type { HeaderFields, RpcTransport } from "./transport.ts";

export interface GrpcTransportOptions {
  /** Their idempotent unary methods are repeated when no server could take them. */
  services?: readonly DescService[];
  limits?: Partial<RpcLimits>;
  /** For addresses that begin with `https://`. */
  tls?: ClientTls | undefined;
}

/**
 * gRPC over HTTP/2 by grpc-js, which needs a third of the CPU that connect's own gRPC client needs. Connects at the first
 * call, and again by itself. `address` is `host:port`, `dns:///host:port` or `http://host:port`, in cleartext, or
 * `https://host:port`; or several of the kind with IPv4 addresses, separated by commas.
 */
export function createGrpcTransport(address: string, options: GrpcTransportOptions = {}): RpcTransport {
  const limits: RpcLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const client = new Client(
    grpcTarget(address),
    grpcCredentials(address, options.tls),
    channelOptions(options.services ?? [], limits),
  );

  const open = new Set<{ cancel(): void }>();
  const track = <
    C extends { cancel(): void; once(event: "close" | "error" | "status", listener: () => void): unknown },
  >(
    call: C,
  ) => {
    open.add(call);
    call.once("status", () => open.delete(call));
    return call;
  };

  return {
    unary<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeaderFields,
      input: MessageInitShape<I>,
    ): Promise<UnaryResponse<I, O>> {
      return new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(reasonOf(signal));
          return;
        }
        const { path, serialize, deserialize } = grpcCallOf<I, O>(method);
        let headers: Metadata | undefined;
        let trailers: Metadata | undefined;
        const call = client.makeUnaryRequest(
          path,
          serialize,
          deserialize,
          input,
          metadataOf(header),
          deadlineIn(timeoutMs ?? defaultDeadlineMs(path, limits)),
          (error, message) => {
            signal?.removeEventListener("abort", cancel);
            if (error !== null || message === undefined) {
              reject(fromServiceError(error) ?? new Error(`${path} gave no answer`));
              return;
            }
            resolve({
              stream: false,
              service: method.parent,
              method,
              message,
              // Few callers read these, so they are converted when someone does.
              get header() {
                return headersOf(headers);
              },
              get trailer() {
                return headersOf(trailers);
              },
            });
          },
        );
        track(call);
        call.on("metadata", (metadata) => (headers = metadata));
        call.on("status", (status) => (trailers = status.metadata));
        const cancel = () => call.cancel();
        signal?.addEventListener("abort", cancel, { once: true });
      });
    },

    stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeaderFields,
      input: AsyncIterable<MessageInitShape<I>>,
    ): Promise<StreamResponse<I, O>> {
      const { path, serialize, deserialize } = grpcCallOf<I, O>(method);
      const deadline = timeoutMs === undefined ? {} : deadlineIn(timeoutMs);
      const call = track(client.makeBidiStreamRequest(path, serialize, deserialize, metadataOf(header), deadline));
      return streamOverGrpc(call, method, input, signal);
    },

    openStream(method, handlers, { headers, signal } = {}) {
      const { path, serialize, deserialize } = grpcCallOf(method);
      const call = track(client.makeBidiStreamRequest(path, serialize, deserialize, metadataOf(headers)));
      return openGrpcStream(call, handlers, signal);
    },

    close() {
      for (const call of open) call.cancel();
      client.close();
    },
  };
}

function deadlineIn(timeoutMs: number): CallOptions {
  return { deadline: new Date(Date.now() + timeoutMs) };
}
