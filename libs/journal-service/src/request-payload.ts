import type { Json } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import type { PayloadReader } from "./payload-codec.ts";

/** Ten times what the suite's own values may have; beyond a few thousand, a value can be read and not be written again. */
const MAX_LEVELS = 1_000;

/**
 * Reads the payloads of a request; `field` is its path in the request. Whoever sends one sends its text: what is none, a
 * reference or nested beyond all measure is refused with INVALID_ARGUMENT and REQUEST_INVALID. An unset form is null. Whether
 * it is too large or too deep for its purpose is for whoever takes the value to judge: the sender may not be able to mend it.
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
  if (isDeeperThan(MAX_LEVELS, value)) throw refuse(field, `is nested deeper than ${MAX_LEVELS} levels; flatten it`);
  return value;
}

function isDeeperThan(levels: number, value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(levels - 1, part));
}

function refuse(field: string, description: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `${field} ${description}`,
    violations: [{ field, description }],
  });
}
