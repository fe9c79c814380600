import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { createLinkedAbortController } from "@connectrpc/connect/protocol";
import { abortable, isAbortError, raceAbort, reasonOf, toError } from "./abortable.ts";
import { findLifetime } from "./call-lifetime.ts";
import type { Drain } from "./drain.ts";
import { watchIterable } from "./watch-iterable.ts";

/**
 * Makes deadlines, cancellation and draining hold even for handlers that do not look at their signal.
 *
 * - A unary call is answered when its deadline passes, whatever its handler still does. Draining leaves it alone.
 * - A stream's handler sees in `context.signal` when the server begins to drain, and its request messages end then
 *   with that error. It may send last words; after the grace it is cut. Either way the client gets UNAVAILABLE.
 */
export function createCancellation(drain: Drain): Interceptor {
  return (next) => async (req) => {
    if (!req.stream) return findLifetime(req)?.race(next(req)) ?? raceAbort(next(req), req.signal);

    const { signal } = createLinkedAbortController(req.signal, drain.started);
    const cut = createLinkedAbortController(req.signal, drain.graceOver).signal;
    const response = await raceAbort(next({ ...req, signal, message: abortable(req.message, signal) }), cut);
    if (!response.stream) return response;
    const message = watchIterable(abortable(response.message, cut), {
      // Code that honours the signal throws AbortError, and a call that it has passed on ends as canceled; the caller is
      // to hear why: it must not take the end of this server for a wish of its own.
      onError: (error) => (signal.aborted && isCutOff(error) ? reasonOf(signal) : toError(error)),
      onDone() {
        if (drain.started.aborted && !req.signal.aborted) throw reasonOf(drain.started);
      },
    });
    return { ...response, message };
  };
}

function isCutOff(error: unknown): boolean {
  return isAbortError(error) || (error instanceof ConnectError && error.code === Code.Canceled);
}
