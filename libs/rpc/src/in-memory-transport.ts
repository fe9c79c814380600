import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createHandlerContext,
  createRouterTransport,
  type Interceptor,
  type MethodImplSpec,
  type Transport,
} from "@connectrpc/connect";
import { transformInvokeImplementation } from "@connectrpc/connect/protocol";
import { currentTrace, formatTraceparent, type Logger, type Metrics } from "@heddle/telemetry";
import { createDrain } from "./drain.ts";
import { createTurnGuard } from "./event-loop-turn.ts";
import { createServerInterceptors } from "./interceptors.ts";
import { defaultDeadlineMs, DEFAULT_LIMITS, IN_MEMORY_TURN_MS, type RpcLimits } from "./limits.ts";
import { pathOf, readRoutes, type Routes } from "./routes.ts";
import { pumpStream } from "./stream-pump.ts";
import type { HeaderFields, RpcTransport } from "./transport.ts";
import type { ValidationOptions } from "./validation.ts";

export interface InMemoryTransportOptions {
  /** Read at the first call, so that services which call each other can be created in any order. */
  routes: Routes;
  logger: Logger;
  metrics?: Metrics;
  interceptors?: Interceptor[];
  validation?: ValidationOptions;
  limits?: Partial<RpcLimits>;
}

/**
 * Reaches services of the same process, with the same interceptors, error boundary and deadlines as a server. Messages of
 * calls are serialized, as over a network; those of `openStream` are handed over as they are, for speed.
 */
export function createInMemoryTransport(options: InMemoryTransportOptions): RpcTransport {
  const limits: RpcLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const drain = createDrain();
  const turn = createTurnGuard(IN_MEMORY_TURN_MS);
  const interceptors = createServerInterceptors({ ...options, drain });
  let built: { methods: Map<string, MethodImplSpec>; router: Transport } | undefined;
  const build = () => {
    const { methods } = readRoutes(options.routes);
    const router = createRouterTransport(
      (target) => {
        for (const { method, impl } of methods.values()) target.rpc(method, impl as never);
      },
      { router: { interceptors, readMaxBytes: limits.messageMaxBytes, writeMaxBytes: limits.messageMaxBytes } },
    );
    return { methods, router };
  };
  const get = () => (built ??= build());

  return {
    async unary(method, signal, timeoutMs = defaultDeadlineMs(pathOf(method), limits), header, input, contextValues) {
      await turn();
      const deadlineMs = Math.min(timeoutMs, limits.deadlineMaxMs);
      return get().router.unary(method, signal, deadlineMs, withTrace(header), input, contextValues);
    },
    async stream(method, signal, timeoutMs, header, input, contextValues) {
      await turn();
      return get().router.stream(method, signal, timeoutMs, withTrace(header), input, contextValues);
    },
    openStream<I extends DescMessage, O extends DescMessage>(
      method: Parameters<RpcTransport["openStream"]>[0] & { input: I; output: O },
      handlers: Parameters<RpcTransport["openStream"]>[1],
      streamOptions: Parameters<RpcTransport["openStream"]>[2] = {},
    ) {
      const path = pathOf(method);
      return pumpStream<MessageInitShape<I>, MessageShape<O>>(
        (input, signal) => {
          const spec = get().methods.get(path);
          if (spec === undefined) throw new ConnectError(`nothing in this process serves ${path}`, Code.Unimplemented);
          return invoke(spec, interceptors, complete(method.input, input), signal, withTrace(streamOptions.headers));
        },
        handlers,
        streamOptions,
        turn,
      );
    },
    close() {
      drain.start();
      drain.finish();
    },
  };
}

async function* invoke<T>(
  spec: MethodImplSpec,
  interceptors: Interceptor[],
  input: AsyncIterable<T>,
  requestSignal: AbortSignal,
  requestHeader: Headers,
): AsyncIterable<never> {
  const context = createHandlerContext({
    service: spec.method.parent,
    method: spec.method,
    protocolName: "grpc",
    requestMethod: "POST",
    url: `https://in-memory${pathOf(spec.method)}`,
    requestHeader,
    requestSignal,
  });
  try {
    yield* transformInvokeImplementation(spec, context, interceptors)(input as never) as AsyncIterable<never>;
  } finally {
    context.abort();
  }
}

/** Full messages from what the caller gave, which may lack fields. */
async function* complete<I extends DescMessage>(desc: I, input: AsyncIterable<MessageInitShape<I>>) {
  for await (const message of input) yield create(desc, message);
}

function withTrace(header: HeaderFields): Headers {
  const headers = new Headers(header);
  const trace = currentTrace();
  if (trace !== undefined && !headers.has("traceparent")) headers.set("traceparent", formatTraceparent(trace));
  return headers;
}
