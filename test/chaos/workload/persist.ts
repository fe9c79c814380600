import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@heddle/errors";

/** Repeats calls until they are answered for good, and counts what they met on the way. */
export interface Persistence {
  /**
   * Resolves with the answer, or with the refusal when its reason is one of `refusals`.
   * @throws UnansweredError when it was not answered within the bound
   */
  call<T>(make: () => Promise<T>, refusals?: readonly string[]): Promise<T | DomainError>;
  /** Errors that callers met, by `<kind> <reason>`. */
  readonly errors: ReadonlyMap<string, number>;
}

const PAUSE_MS = 100;

/** A call that nothing answered for good, however often it was repeated. */
export class UnansweredError extends Error {}

/** @param boundMs how long one call may go without an answer: longer than any fault */
export function createPersistence(boundMs: number): Persistence {
  const errors = new Map<string, number>();
  return {
    errors,
    async call(make, refusals = []) {
      const deadline = performance.now() + boundMs;
      for (;;) {
        try {
          return await make();
        } catch (error) {
          if (error instanceof DomainError && refusals.includes(error.reason)) return error;
          const name = error instanceof DomainError ? `${error.kind} ${error.reason}` : String(error);
          errors.set(name, (errors.get(name) ?? 0) + 1);
          if (performance.now() > deadline) {
            throw new UnansweredError(`not answered for ${boundMs} ms; the last error: ${name}`, { cause: error });
          }
          await sleep(PAUSE_MS);
        }
      }
    },
  };
}
