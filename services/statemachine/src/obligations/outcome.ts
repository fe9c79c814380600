import { boundFailure, type Failure } from "@heddle/engine";
import { DomainError } from "@heddle/errors";

export function hasReason(error: unknown, ...reasons: readonly string[]): boolean {
  return error instanceof DomainError && reasons.includes(error.reason);
}

/** A refusal as what a machine is told. */
export function failureOf({ reason, message }: DomainError): Failure {
  return boundFailure({ type: reason.toLowerCase(), message, retryable: false });
}
