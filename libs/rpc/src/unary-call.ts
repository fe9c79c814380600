import type { IncomingHttpHeaders } from "node:http";
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import {
  createContextValues,
  type HandlerContext,
  type Interceptor,
  type MethodImplSpec,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { type CallLifetime, LIFETIME } from "./call-lifetime.ts";
import { LazyHeaders } from "./lazy-headers.ts";

export type UnarySpec = Extract<MethodImplSpec, { kind: "unary" }>;

export interface UnaryCallOptions {
  spec: UnarySpec;
  interceptors: Interceptor[];
  lifetime: CallLifetime;
  url: string;
  headers: IncomingHttpHeaders;
}

/** One unary call on its way through interceptors and handler. */
export interface UnaryCall {
  /** What the handler gave, as the interceptors left it. */
  invoke(message: MessageShape<DescMessage>): Promise<MessageShape<DescMessage>>;
  /** Undefined while nobody has looked at them: then there is nothing in them. */
  readonly responseHeader: Headers | undefined;
  readonly responseTrailer: Headers | undefined;
}

/**
 * The objects are those that connect hands to interceptors and handlers, but what is dear to make (the signal, headers of
 * the answer) is made when it is first read. Those are accessors of the objects themselves, not of a class, so that
 * `{ ...request, message }` keeps working.
 */
export function createUnaryCall({ spec, interceptors, lifetime, url, headers }: UnaryCallOptions): UnaryCall {
  const { method, impl } = spec;
  const service = method.parent;
  const requestHeader = new LazyHeaders(headers);
  const values = createContextValues();
  let responseHeader: Headers | undefined;
  let responseTrailer: Headers | undefined;

  const context: HandlerContext = {
    service,
    method,
    protocolName: "grpc",
    requestMethod: "POST",
    url,
    requestHeader,
    values,
    timeoutMs: () => lifetime.remainingMs(),
    get signal() {
      return lifetime.signal;
    },
    get responseHeader() {
      return (responseHeader ??= new Headers());
    },
    get responseTrailer() {
      return (responseTrailer ??= new Headers());
    },
  };
  const requestOf = (message: MessageShape<DescMessage>): UnaryRequest & { [LIFETIME]: CallLifetime } => ({
    stream: false,
    service,
    method,
    requestMethod: "POST",
    url,
    message,
    header: requestHeader,
    contextValues: values,
    [LIFETIME]: lifetime,
    get signal() {
      return lifetime.signal;
    },
  });

  return {
    async invoke(message) {
      const request = requestOf(message);
      let ours: UnaryResponse | undefined;
      let next: ReturnType<Interceptor> = async (received) => {
        const output = await impl(
          received.message as MessageShape<DescMessage>,
          received === request ? context : withRequest(context, received as UnaryRequest),
        );
        ours = {
          stream: false,
          service,
          method,
          message: create(method.output, output),
          get header() {
            return context.responseHeader;
          },
          get trailer() {
            return context.responseTrailer;
          },
        };
        return ours;
      };
      for (const interceptor of interceptors.toReversed()) next = interceptor(next);
      const response = (await next(request)) as UnaryResponse;
      if (response !== ours) {
        responseHeader = response.header;
        responseTrailer = response.trailer;
      }
      return response.message;
    },
    get responseHeader() {
      return responseHeader;
    },
    get responseTrailer() {
      return responseTrailer;
    },
  };
}

/** The context of a handler whose request an interceptor has replaced. */
function withRequest(context: HandlerContext, request: UnaryRequest): HandlerContext {
  return {
    ...context,
    service: request.service,
    requestHeader: request.header,
    signal: request.signal,
    values: request.contextValues,
  };
}
