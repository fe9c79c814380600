import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@heddle/errors";
import { CALL_RETRY_MAX_MS, CALL_RETRY_MIN_MS, DEFAULT_CALL_TIMEOUT_MS } from "../limits.ts";
import { backoffMs } from "../backoff.ts";

/** For every call of a client. */
export interface CallOptions {
  /** Time for the call with all its repetitions, milliseconds; default 30 s. */
  timeoutMs?: number;
  /** Ends the call when it aborts. */
  signal?: AbortSignal;
}

/** What one attempt hands to the transport. */
interface Attempt {
  timeoutMs: number;
  signal: AbortSignal | undefined;
}

/**
 * True for errors after which the same request may be sent again: nothing was there to take it, or too much at once and
 * the server says when to come back. (Without that, RESOURCE_EXHAUSTED means a limit that no wait will lift.)
 */
export function isPassing(error: unknown): error is DomainError {
  if (!(error instanceof DomainError)) return false;
  return error.kind === "unavailable" || (error.kind === "resource_exhausted" && error.retryAfterMs !== undefined);
}

/** How long to wait before the attempt after `failures` failures in a row: at least as long as the server asks. */
export function retryDelayMs(error: DomainError, failures: number): number {
  return Math.max(error.retryAfterMs ?? 0, backoffMs(failures, CALL_RETRY_MIN_MS, CALL_RETRY_MAX_MS));
}

/** Makes calls of a client to one address. */
export type Call = <T>(attempt: (options: Attempt) => Promise<T>, options?: CallOptions) => Promise<T>;

/**
 * Makes calls, and makes them again while a failure may pass and the time is not over. Only for calls that the contract
 * calls idempotent. When time is over the last failure is thrown that says more than that.
 */
export function createCall(address: string): Call {
  return async (attempt, { timeoutMs = DEFAULT_CALL_TIMEOUT_MS, signal } = {}) => {
    const deadline = performance.now() + timeoutMs;
    let passing: DomainError | undefined;
    for (let failures = 1; ; failures++) {
      try {
        return await attempt({ timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())), signal });
      } catch (error) {
        if (!isPassing(error)) throw isTimeOver(error) && passing ? explainUnreachable(passing, address) : error;
        passing = error;
        const delayMs = retryDelayMs(error, failures);
        if (performance.now() + delayMs >= deadline) throw explainUnreachable(error, address);
        await sleep(delayMs, undefined, { signal });
      }
    }
  };
}

function isTimeOver(error: unknown): boolean {
  return error instanceof DomainError && error.kind === "deadline_exceeded";
}

/** Without a reason from a Heddle server nothing answered at all: the transport's words are of no help to a person. */
function explainUnreachable(error: DomainError, address: string): DomainError {
  if (error.kind !== "unavailable" || error.reason !== "UNAVAILABLE") return error;
  return new DomainError({
    kind: "unavailable",
    reason: "UNAVAILABLE",
    message: `no Heddle server answers at ${address}: start one with \`heddle dev\`, or say where it is with HEDDLE_ADDRESS`,
    cause: error,
  });
}
