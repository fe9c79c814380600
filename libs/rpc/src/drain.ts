import { DomainError } from "@heddle/errors";
import { STREAM_GRACE_MS } from "./limits.ts";
import { RpcReason } from "./reasons.ts";

/** The two moments of a shutdown that streams must notice. */
export interface Drain {
  /** Aborts when draining begins: handlers of streams see it in `context.signal` and wrap up. */
  readonly started: AbortSignal;
  /** Aborts STREAM_GRACE_MS later: streams whose handler did not end by itself are ended for it. */
  readonly graceOver: AbortSignal;
  start(): void;
  /** Ends the grace at once and stops its timer. */
  finish(): void;
}

export function createDrain(): Drain {
  const started = new AbortController();
  const graceOver = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const finish = () => {
    clearTimeout(timer);
    graceOver.abort(drainingError());
  };
  return {
    started: started.signal,
    graceOver: graceOver.signal,
    start() {
      if (started.signal.aborted) return;
      started.abort(drainingError());
      timer = setTimeout(finish, STREAM_GRACE_MS);
    },
    finish,
  };
}

/** UNAVAILABLE and not OK: a watcher that saw a clean end would believe that nothing more will come. */
export function drainingError(): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: RpcReason.shuttingDown,
    message: "the server is shutting down; open the stream again, another server or the restarted one will take it",
  });
}

export function isDrainingError(error: unknown): boolean {
  return error instanceof DomainError && error.reason === RpcReason.shuttingDown;
}
