import { expect, it } from "vitest";
import { DomainError, type ErrorKind, isFinal, isPassing } from "./index.ts";

function refusal(kind: ErrorKind, retryAfterMs?: number): DomainError {
  return new DomainError({ kind, reason: "ANY", message: "no", ...(retryAfterMs !== undefined && { retryAfterMs }) });
}

it.each(["unavailable", "deadline_exceeded", "aborted"] as const)("takes %s as passing", (kind) => {
  expect(isPassing(refusal(kind))).toBe(true);
  expect(isFinal(refusal(kind))).toBe(false);
});

it.each([
  "invalid_argument",
  "not_found",
  "already_exists",
  "failed_precondition",
  "out_of_range",
  "permission_denied",
  "unauthenticated",
  "unimplemented",
] as const)("takes %s as final", (kind) => {
  expect(isPassing(refusal(kind))).toBe(false);
  expect(isFinal(refusal(kind))).toBe(true);
});

it("takes what is exhausted as passing only with a time to come back", () => {
  expect(isPassing(refusal("resource_exhausted", 100))).toBe(true);
  expect(isFinal(refusal("resource_exhausted", 100))).toBe(false);
  expect(isPassing(refusal("resource_exhausted"))).toBe(false);
  expect(isFinal(refusal("resource_exhausted"))).toBe(true);
});

it("takes a defect as neither", () => {
  expect(isPassing(new TypeError("x is undefined"))).toBe(false);
  expect(isFinal(new TypeError("x is undefined"))).toBe(false);
});
