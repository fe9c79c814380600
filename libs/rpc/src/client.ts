import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { createClient, makeAnyClient, type CallOptions, type Client, type HandlerContext } from "@connectrpc/connect";
import { createLinkedAbortController } from "@connectrpc/connect/protocol";
import { toDomainError } from "./to-domain-error.ts";
import type { RpcTransport } from "./transport.ts";
import { wrapIterable } from "./wrap-iterable.ts";

/** A typed client: one function per method, as of connect, but errors are DomainErrors and `break` ends a stream. */
export type RpcClient<S extends DescService> = Client<S>;

/** Makes a typed client of a service on any transport. */
export function createRpcClient<S extends DescService>(service: S, transport: RpcTransport): RpcClient<S> {
  const raw = createClient(service, transport) as Record<string, unknown>;
  return makeAnyClient(service, (method) => {
    const call = raw[method.localName];
    return answersOnce(method) ? withDomainErrors(call as PromiseCall) : withCancelOnBreak(call as StreamCall);
  }) as RpcClient<S>;
}

/**
 * For calls that a handler makes on behalf of its caller: they end when the caller's deadline passes or the caller gives
 * up. Given explicitly, because work that merely starts during a call must not inherit its deadline.
 */
export function callOptionsOf(context: HandlerContext): CallOptions {
  return { signal: context.signal, timeoutMs: context.timeoutMs() };
}

type PromiseCall = (input: unknown, options?: CallOptions) => Promise<unknown>;
type StreamCall = (input: unknown, options?: CallOptions) => AsyncIterable<unknown>;

function answersOnce(method: DescMethod): boolean {
  return method.methodKind === "unary" || method.methodKind === "client_streaming";
}

function withDomainErrors(call: PromiseCall): PromiseCall {
  return async (input, options) => {
    try {
      return await call(input, options);
    } catch (error) {
      throw toDomainError(error);
    }
  };
}

/** connect's iterables ignore `return`, so that a loop which is left early would keep its stream open for ever. */
function withCancelOnBreak(call: StreamCall): StreamCall {
  return (input, options) => {
    const abort = createLinkedAbortController(options?.signal);
    const source = call(input, { ...options, signal: abort.signal });
    return wrapIterable(source, (next) => ({
      async next() {
        try {
          return await next();
        } catch (error) {
          throw toDomainError(error);
        }
      },
      left: () => abort.abort(),
    }));
  };
}
