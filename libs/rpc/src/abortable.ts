import { wrapIterable } from "./wrap-iterable.ts";

/**
 * The promise's outcome, or the signal's reason when that comes first. The listener is removed either way, so a signal
 * that outlives many calls collects none.
 */
export function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(reasonOf(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/**
 * The same values, but `next()` rejects with the signal's reason as soon as it aborts, even while the source is silent.
 * Costs one listener for the whole stream, not one for each value.
 */
export function abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  return wrapIterable(source, (next) => {
    let rejectPending: ((reason: Error) => void) | undefined;
    const onAbort = () => rejectPending?.(reasonOf(signal));
    const forget = () => signal.removeEventListener("abort", onAbort);
    signal.addEventListener("abort", onAbort, { once: true });
    return {
      next() {
        if (signal.aborted) return Promise.reject(reasonOf(signal));
        return new Promise((resolve, reject) => {
          rejectPending = reject;
          next().then((result) => {
            if (result.done === true) forget();
            resolve(result);
          }, reject);
        });
      },
      left: forget,
    };
  });
}

/** Why a signal aborted, always as an Error. */
export function reasonOf(signal: AbortSignal): Error {
  return toError(signal.reason);
}

/** What Node's own functions throw when their signal aborts. */
export function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`what was thrown is not an Error: ${String(thrown)}`);
}
