import { DomainError } from "@heddle/errors";
import { expect, it } from "vitest";
import { explainFailure } from "./failure.ts";

const failure = (message: string, code?: string): Error => Object.assign(new Error(message), code && { code });

it.each([
  failure("connect ECONNREFUSED 127.0.0.1:5432", "ECONNREFUSED"),
  failure("terminating connection due to administrator command", "57P01"),
  failure("the database system is starting up", "57P03"),
  failure("sorry, too many clients already", "53300"),
  failure("Connection terminated unexpectedly"),
  failure("timeout exceeded when trying to connect"),
])("takes $message for an outage that passes", (error) => {
  expect(explainFailure(error)).toMatchObject({
    kind: "unavailable",
    reason: "DEPENDENCY_UNAVAILABLE",
    message: expect.stringContaining(error.message),
    code: (error as { code?: string }).code,
    cause: error,
  });
});

it("takes a text that cannot be stored for the caller's fault", () => {
  const error = failure('invalid byte sequence for encoding "UTF8": 0x00', "22021");
  expect(explainFailure(error)).toMatchObject({ kind: "invalid_argument", reason: "REQUEST_INVALID" });
});

it.each([
  failure("relation does not exist", "42P01"),
  failure("canceling statement due to user request", "57014"),
  failure("duplicate key", "23505"),
  new DomainError({ kind: "not_found", reason: "X", message: "Connection terminated" }),
  "no error at all",
])("leaves everything else as it is", (error) => {
  expect(explainFailure(error)).toBe(error);
});
