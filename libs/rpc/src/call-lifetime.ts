import { Code, ConnectError } from "@connectrpc/connect";

/** Key under which a request carries its CallLifetime to interceptors that would only listen to its signal. */
export const LIFETIME: unique symbol = Symbol("heddle.rpc.lifetime");

/** Why the signal of a call that went well aborts in the end. One for all: making one captures a stack. */
const ENDED = new DOMException("the call has ended", "AbortError");

/**
 * How long a unary call may go on: until its deadline, until its client leaves, or until it is answered. An AbortSignal
 * is made only for those who ask for it; most handlers never do, and it costs more than a small call otherwise takes.
 */
export class CallLifetime {
  readonly #deadlineAtMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #listeners: ((reason: Error) => void)[] = [];
  #controller: AbortController | undefined;
  #over: Error | undefined;

  constructor(timeoutMs: number) {
    this.#deadlineAtMs = Date.now() + timeoutMs;
    if (timeoutMs > 0) this.#timer = setTimeout(expire, timeoutMs, this);
    else expire(this);
  }

  /** Why the call is over; undefined while it goes on. */
  get over(): Error | undefined {
    return this.#over;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#over !== undefined) this.#controller.abort(this.#over);
    }
    return this.#controller.signal;
  }

  /** Time until the deadline; negative after it. */
  remainingMs(): number {
    return this.#deadlineAtMs - Date.now();
  }

  /** The work's outcome, or the reason of an abort when that comes first. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.onAbort(reject);
      work.then(resolve, reject);
    });
  }

  /** Calls back at an abort, at once when that has been; never when the call ends by being answered. */
  onAbort(listener: (reason: Error) => void): void {
    if (this.#over === undefined) this.#listeners.push(listener);
    else if (this.#over !== ENDED) listener(this.#over);
  }

  /** Cuts the call off; without effect when it is over. */
  abort(reason: Error): void {
    if (this.#over !== undefined) return;
    this.#finish(reason);
    for (const listener of this.#listeners) listener(reason);
  }

  /** The call is answered: what still listens to its signal may stop. */
  end(): void {
    if (this.#over === undefined) this.#finish(ENDED);
  }

  #finish(reason: Error): void {
    this.#over = reason;
    clearTimeout(this.#timer);
    this.#controller?.abort(reason);
  }
}

/** The lifetime of a request, if it came a way that gives it one. */
export function findLifetime(request: object): CallLifetime | undefined {
  return (request as { [LIFETIME]?: CallLifetime })[LIFETIME];
}

function expire(lifetime: CallLifetime): void {
  lifetime.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
}
