import { createConnectTransport as createNodeTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { Interceptor } from "@connectrpc/connect";
import { currentTrace, formatTraceparent } from "@heddle/telemetry";
import { createTurnGuard } from "./event-loop-turn.ts";
import { defaultDeadlineMs, DEFAULT_LIMITS, IN_MEMORY_TURN_MS, type RpcLimits } from "./limits.ts";
import { pathOf } from "./routes.ts";
import { pumpStream } from "./stream-pump.ts";
import { type ClientTls, connectByTls, isTlsAddress } from "./tls/client-tls.ts";
import type { RpcTransport } from "./transport.ts";

export interface ConnectTransportOptions {
  limits?: Partial<RpcLimits>;
  interceptors?: Interceptor[];
  /** For a `baseUrl` of `https://`. */
  tls?: ClientTls | undefined;
}

/** The Connect protocol over HTTP/2, for tools outside of the cluster: `baseUrl` is `http://host:port` or `https://host`. */
export function createConnectTransport(baseUrl: string, options: ConnectTransportOptions = {}): RpcTransport {
  const limits: RpcLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const sessionManager = new Http2SessionManager(
    baseUrl,
    { pingIntervalMs: limits.keepaliveIntervalMs, pingTimeoutMs: limits.keepaliveTimeoutMs },
    isTlsAddress(baseUrl) ? { createConnection: (url) => connectByTls(url, options.tls) } : undefined,
  );
  const transport = createNodeTransport({
    baseUrl,
    httpVersion: "2",
    sessionManager,
    useHttpGet: false,
    readMaxBytes: limits.messageMaxBytes,
    writeMaxBytes: limits.messageMaxBytes,
    interceptors: [sendTrace, ...(options.interceptors ?? [])],
  });
  return {
    unary: (method, signal, timeoutMs, header, input, contextValues) =>
      transport.unary(
        method,
        signal,
        timeoutMs ?? defaultDeadlineMs(pathOf(method), limits),
        header,
        input,
        contextValues,
      ),
    stream: (method, signal, timeoutMs, header, input, contextValues) =>
      transport.stream(method, signal, timeoutMs, header, input, contextValues),
    openStream: (method, handlers, streamOptions = {}) =>
      pumpStream(
        async function* start(input, signal) {
          const response = await transport.stream(method, signal, undefined, streamOptions.headers, input as never);
          yield* response.message as AsyncIterable<never>;
        },
        handlers,
        streamOptions,
        createTurnGuard(IN_MEMORY_TURN_MS),
      ),
    close: () => sessionManager.abort(),
  };
}

const sendTrace: Interceptor = (next) => (req) => {
  const trace = currentTrace();
  if (trace !== undefined) req.header.set("traceparent", formatTraceparent(trace));
  return next(req);
};
