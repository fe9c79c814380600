import type { IncomingHttpHeaders } from "node:http";
import { defaultDeadlineMs, type RpcLimits } from "./limits.ts";

const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const MS_PER_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/**
 * Gives a unary request a deadline when it has none, and shortens one that is too long. It is written into the header in
 * which the protocol carries it, so that everything behind (context.signal, context.timeoutMs) sees one deadline.
 * A malformed header is left for connect to refuse.
 */
export function boundDeadline(path: string, headers: IncomingHttpHeaders, limits: RpcLimits): void {
  if (headers["content-type"]?.startsWith("application/grpc") === true) {
    boundGrpcTimeout(path, headers, limits);
    return;
  }
  const assumedMs = defaultDeadlineMs(path, limits);
  const longestMs = Math.max(limits.deadlineMaxMs, assumedMs);
  const asked = headers["connect-timeout-ms"];
  if (asked === undefined) headers["connect-timeout-ms"] = String(assumedMs);
  else if (Number(asked) > longestMs) headers["connect-timeout-ms"] = String(longestMs);
}

/** The same for the header of gRPC alone. Returns the milliseconds that it now says; NaN when it is malformed. */
export function boundGrpcTimeout(path: string, headers: IncomingHttpHeaders, limits: RpcLimits): number {
  const assumedMs = defaultDeadlineMs(path, limits);
  const longestMs = Math.max(limits.deadlineMaxMs, assumedMs);
  const asked = parseGrpcTimeout(headers["grpc-timeout"]);
  if (asked !== undefined && !(asked > longestMs)) return asked;
  const boundMs = asked === undefined ? assumedMs : longestMs;
  headers["grpc-timeout"] = `${boundMs}m`;
  return boundMs;
}

/** Milliseconds; undefined when there is none; NaN when it is malformed. */
function parseGrpcTimeout(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, amount, unit] = GRPC_TIMEOUT.exec(String(header)) ?? [];
  return Number(amount) * (MS_PER_UNIT[unit ?? ""] ?? Number.NaN);
}
