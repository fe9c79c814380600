import { RETRY_AFTER_MAX_MS } from "../limits.ts";

/** A Retry-After header (seconds or an HTTP date) in milliseconds from `now`; 0 when it is absent or makes no sense. */
export function parseRetryAfter(header: string | null | undefined, now: number = Date.now()): number {
  if (header === null || header === undefined) return 0;
  const waitMs = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(waitMs) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, Math.ceil(waitMs))) : 0;
}
