import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { createForwardingService, type RpcTransport } from "@heddle/rpc";
import { requestIdSetter } from "./request-id.ts";

/** A service behind the edge. */
export interface Backend {
  /** As operators call it: `execution`. */
  name: string;
  transport: RpcTransport;
}

/** What a caller waits before it asks again for a service that is away. */
const RETRY_AFTER_MS = 500;

type Handler = (input: unknown, context: HandlerContext) => unknown;

/**
 * Serves `service` by passing every call on to the backend. A request gets an id where its caller gave none, so that it may
 * be repeated. Answers and errors come through as they are, but for one: that the backend cannot be reached is said in
 * terms of the service, as its callers know no addresses.
 */
export function passOn<S extends DescService>(service: S, backend: Backend): ServiceImpl<S> {
  const passing = createForwardingService(service, backend.transport) as Record<string, Handler>;
  const told = service.methods.map((method) => {
    const handler = passing[method.localName] as Handler;
    if (!answersOnce(method)) return [method.localName, tellOfEach(handler, backend)];
    return [method.localName, tellOnce(handler, backend, requestIdSetter(method))];
  });
  return Object.fromEntries(told) as ServiceImpl<S>;
}

function answersOnce({ methodKind }: DescMethod): boolean {
  return methodKind === "unary" || methodKind === "client_streaming";
}

function tellOnce(handler: Handler, backend: Backend, prepare: ((input: unknown) => void) | undefined): Handler {
  return async (input, context) => {
    prepare?.(input);
    try {
      return await handler(input, context);
    } catch (error) {
      throw sayWhichIsAway(error, backend);
    }
  };
}

function tellOfEach(handler: Handler, backend: Backend): Handler {
  return async function* (input, context) {
    try {
      yield* handler(input, context) as AsyncIterable<unknown>;
    } catch (error) {
      throw sayWhichIsAway(error, backend);
    }
  };
}

/** A service that answers gives its reason in ErrorInfo; without one the transport is speaking, in words of its own. */
function sayWhichIsAway(error: unknown, { name }: Backend): unknown {
  if (!(error instanceof DomainError) || error.kind !== "unavailable" || error.reason !== "UNAVAILABLE") return error;
  return new DomainError({
    kind: "unavailable",
    reason: "DEPENDENCY_UNAVAILABLE",
    message: `the ${name} service cannot be reached at the moment; repeat the request, with the same request_id if it has one`,
    metadata: { service: name },
    retryAfterMs: RETRY_AFTER_MS,
    cause: error,
  });
}
