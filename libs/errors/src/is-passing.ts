import { DomainError, type ErrorKind } from "./domain-error.ts";

type PassingKind = "unavailable" | "deadline_exceeded" | "aborted";

const PASSING: ReadonlySet<ErrorKind> = new Set<ErrorKind>(["unavailable", "deadline_exceeded", "aborted"]);

/**
 * Whether the same call may well succeed later: nobody was there to take it, it took too long, it met another change, or there is
 * too much at the moment and the server says when to come back. (Without that, `resource_exhausted` is a limit that no wait lifts.)
 * Who knows some of these refusals as answers, "drop the result" for one, looks at their reasons first.
 */
export function isPassing(
  error: unknown,
): error is DomainError & { readonly kind: PassingKind | "resource_exhausted" } {
  if (!(error instanceof DomainError)) return false;
  return PASSING.has(error.kind) || (error.kind === "resource_exhausted" && error.retryAfterMs !== undefined);
}

/** Whether the same call would be refused again. Neither this nor passing is what is no DomainError: a defect. */
export function isFinal(error: unknown): error is DomainError & { readonly kind: Exclude<ErrorKind, PassingKind> } {
  return error instanceof DomainError && !isPassing(error);
}
