import { boundFailure, type Failure } from "@heddle/engine";
import { DomainError } from "@heddle/errors";

/** Refusals that a repetition may well not meet: whoever owes the call tries it again. */
const PASSING = new Set<DomainError["kind"]>(["unavailable", "deadline_exceeded", "aborted"]);

/** Whether the same call would be refused again. */
export function isFinal(error: unknown): error is DomainError {
  if (!(error instanceof DomainError) || PASSING.has(error.kind)) return false;
  // Asked to come back: a queue is full, not a limit reached for good.
  return error.kind !== "resource_exhausted" || error.retryAfterMs === undefined;
}

export function hasReason(error: unknown, ...reasons: readonly string[]): boolean {
  return error instanceof DomainError && reasons.includes(error.reason);
}

/** A refusal as what a machine is told. */
export function failureOf({ reason, message }: DomainError): Failure {
  return boundFailure({ type: reason.toLowerCase(), message, retryable: false });
}
