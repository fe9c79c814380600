import { AsyncLocalStorage } from "node:async_hooks";
import { randomFillSync } from "node:crypto";

/** One position in a distributed trace, as W3C Trace Context names it. */
export interface Trace {
  /** 32 lower-case hex digits; the same for everything that one outside request caused. */
  traceId: string;
  /** 16 lower-case hex digits; this process's part of the trace. */
  spanId: string;
  /** Whether the caller records this trace; passed on unchanged. */
  sampled: boolean;
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const storage = new AsyncLocalStorage<Trace>();

/** Starts a trace for a request that came without one. */
export function newTrace(): Trace {
  return { traceId: randomHex(16), spanId: randomHex(8), sampled: false };
}

/** A new span in the same trace. */
export function childTrace(parent: Trace): Trace {
  return { ...parent, spanId: randomHex(8) };
}

/** Reads a `traceparent` header. A header that is missing or malformed gives undefined, as the standard demands. */
export function parseTraceparent(header: string | null | undefined): Trace | undefined {
  const match = TRACEPARENT.exec(header ?? "");
  const [, traceId, spanId, flags] = match ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  // All zeros mean "no trace" and "no span".
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The `traceparent` header that carries this trace to the next process. */
export function formatTraceparent(trace: Trace): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? "01" : "00"}`;
}

/** Runs `work` so that everything it awaits sees `trace` as the current one. */
export function runWithTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work);
}

/** The trace of the request that is being handled, if there is one. Long-lived streams have none. */
export function currentTrace(): Trace | undefined {
  return storage.getStore();
}

/** Each call of the system's generator costs as much as a good part of a request: one serves hundreds of ids. */
const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
}
