import { pino, type DestinationStream, type Level, type Logger as PinoLogger, stdSerializers } from "pino";
import { originalStack } from "./original-stack.ts";
import { currentTrace } from "./trace.ts";

export type Logger = PinoLogger;

export interface CreateLoggerOptions {
  /** The service or tool that speaks, e.g. `execution`. Stands in every line. */
  name: string;
  /** Default `info`. */
  level?: Level | "silent";
  /** Default: standard output, written synchronously. */
  destination?: DestinationStream;
}

/**
 * One JSON object per line: `level`, `time` (ISO 8601), `name`, `msg`, and `traceId` while a request is handled.
 * Errors go under `err`, so that their stack and cause are printed.
 */
export function createLogger({ name, level = "info", destination }: CreateLoggerOptions): Logger {
  const options = {
    name,
    level,
    base: { name },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: traceOfRequest,
    serializers: { err: serializeError },
  };
  // Synchronous by default: a line that is written before a crash is not lost, and a closed pipe
  // (`heddle dev | head`) does not leave a flush behind that keeps the process alive.
  return destination === undefined ? pino(options, pino.destination({ sync: true })) : pino(options, destination);
}

function serializeError(error: unknown): unknown {
  const serialized = stdSerializers.err(error as Error) as { stack?: unknown } | undefined;
  if (typeof serialized?.stack !== "string") return serialized;
  return Object.assign(serialized, { stack: originalStack(serialized.stack) });
}

function traceOfRequest(): object {
  const trace = currentTrace();
  return trace === undefined ? {} : { traceId: trace.traceId };
}
