import { findSizeFault, type Json } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import type { PayloadReader } from "./payload-codec.ts";

/**
 * Reads the payloads of a request; `field` is its path in the request. Whoever sends one sends its text: what is none, a
 * reference or nested too deep is refused with INVALID_ARGUMENT and REQUEST_INVALID. An unset form is null. Its size is
 * for whoever takes the value to judge.
 */
export function createRequestPayloadReader(field: string): PayloadReader {
  return { read: (payload) => (payload === undefined ? undefined : readText(payload, field)) };
}

function readText({ form }: Payload, field: string): Json {
  if (form.case === undefined) return null;
  if (form.case === "reference") {
    throw refuse(field, "must hold the text of the payload; this service cannot look up a reference");
  }
  let value: Json;
  try {
    value = JSON.parse(form.value) as Json;
  } catch (error) {
    throw refuse(field, `must be JSON (RFC 8259): ${(error as SyntaxError).message}`);
  }
  const fault = findSizeFault(value, Number.POSITIVE_INFINITY);
  if (fault !== undefined) throw refuse(field, fault);
  return value;
}

function refuse(field: string, description: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `${field} ${description}`,
    violations: [{ field, description }],
  });
}
