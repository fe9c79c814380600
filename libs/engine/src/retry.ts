import type { Failure } from "./events.ts";
import { MAX_RETRY_AFTER_MS } from "./limits.ts";
import type { RetryPolicy } from "./plan-node.ts";

/** Which attempt failed; the random part of its wait is drawn from these names, so that a replay draws the same. */
export interface FailedAttempt {
  executionId: string;
  nodeId: string;
  /** From 1, over all turns of a loop. */
  attempt: number;
  /** Those of earlier turns; absent: none. */
  attemptsBefore?: number;
  /** Since the first attempt was scheduled. */
  elapsedMs: number;
  /** Of all attempts together; absent: unlimited. */
  totalTimeoutMs?: number | undefined;
}

/** How long to wait before the next attempt, in whole milliseconds; undefined when the failure is final or the time is over. */
export function findRetryDelay(policy: RetryPolicy, failure: Failure, failed: FailedAttempt): number | undefined {
  if (attemptOfTurn(failed) >= policy.maxAttempts) return undefined;
  if (failure.retryable === false || policy.nonRetryable.includes(failure.type)) return undefined;
  const delayMs = jitteredInterval(policy, failed);
  const workerDelayMs = Math.min(failure.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
  const waitMs = Math.round(Math.max(delayMs, workerDelayMs));
  const beginsAfterMs = failed.elapsedMs + waitMs;
  if (policy.maxElapsedMs !== undefined && beginsAfterMs > policy.maxElapsedMs) return undefined;
  // It would be stopped as soon as it begins: what has gone wrong now says more than that.
  if (failed.totalTimeoutMs !== undefined && beginsAfterMs >= failed.totalTimeoutMs) return undefined;
  return waitMs;
}

function attemptOfTurn({ attempt, attemptsBefore = 0 }: FailedAttempt): number {
  return attempt - attemptsBefore;
}

function jitteredInterval(policy: RetryPolicy, failed: FailedAttempt): number {
  // A zero interval stays zero: 0 x Infinity of a long back-off would be NaN.
  if (policy.initialIntervalMs <= 0) return 0;
  const interval = Math.min(
    policy.maxIntervalMs,
    policy.initialIntervalMs * policy.backoff ** (attemptOfTurn(failed) - 1),
  );
  return interval * (1 - policy.jitter * fractionOf(`${failed.executionId}/${failed.nodeId}/${failed.attempt}`));
}

/** A text's share of [0, 1): FNV-1a, then the finalizer of MurmurHash3, because ids that differ in one digit must not lie close. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
