import { ConnectError, type Interceptor, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import { childTrace, newTrace, parseTraceparent, runWithTrace, type Logger, type Metrics } from "@heddle/telemetry";
import { nameOfCode } from "./error-kind.ts";
import { watchIterable } from "./watch-iterable.ts";

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface ObservationOptions {
  logger: Logger;
  metrics?: Metrics;
}

/**
 * One debug line and one count per call, when it ends, with its code and duration; and the trace of the caller, or a new
 * one, as the current trace of the handler. The handler of a stream has no current trace: it lives on for other requests.
 */
export function createObservation({ logger, metrics }: ObservationOptions): Interceptor {
  const calls = metrics?.counter("heddle_rpc_calls_total", "Calls that ended, by method and code.", ["method", "code"]);
  const durations = metrics?.histogram(
    "heddle_rpc_duration_seconds",
    "Duration of unary calls, from the first byte of the request to the answer.",
    DURATION_BUCKETS_SECONDS,
  );
  const streams = metrics === undefined ? { open: 0 } : openStreamsOf(metrics);

  return (next) => (req) => {
    const startedAt = performance.now();
    const caller = parseTraceparent(req.header.get("traceparent"));
    const trace = caller === undefined ? newTrace() : childTrace(caller);
    const method = `${req.service.typeName}/${req.method.name}`;
    let ended = false;
    if (req.stream) streams.open += 1;

    const end = (code: string) => {
      if (ended) return;
      ended = true;
      if (req.stream) streams.open -= 1;
      const durationMs = performance.now() - startedAt;
      calls?.add(1, { method, code });
      if (!req.stream) durations?.observe(durationMs / 1000, { method });
      if (logger.isLevelEnabled("debug")) {
        logger.debug({ traceId: trace.traceId, method, code, durationMs: Math.round(durationMs * 1000) / 1000 }, "rpc");
      }
    };
    const fail = (error: unknown): Error => {
      const failure = ConnectError.from(error);
      end(nameOfCode(failure.code));
      return failure;
    };
    const succeed = (response: UnaryResponse | StreamResponse) => {
      if (!response.stream) {
        end("OK");
        return response;
      }
      const message = watchIterable(response.message, {
        onDone: () => end("OK"),
        onError: fail,
        onReturn: () => end("CANCELED"),
      });
      return { ...response, message };
    };
    return runWithTrace(trace, () => next(req)).then(succeed, (error: unknown) => {
      throw fail(error);
    });
  };
}

const openStreams = new WeakMap<Metrics, { open: number }>();

/** Servers and in-memory transports that share a registry share the gauge. */
function openStreamsOf(metrics: Metrics): { open: number } {
  const known = openStreams.get(metrics);
  if (known !== undefined) return known;
  const streams = { open: 0 };
  openStreams.set(metrics, streams);
  metrics.gauge("heddle_rpc_open_streams", "Streams that are open now.", () => streams.open);
  return streams;
}
