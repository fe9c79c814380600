import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import type { Failure, Json, JsonObject } from "@heddle/engine";
import type { PayloadClaim, PayloadLookup } from "@heddle/journal";
import { FailureSchema, type Failure as ProtoFailure } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import { type Payload, PayloadSchema } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import { claimPayloadBytes } from "./limits.ts";

/** Turns JSON values into payloads while one event is encoded, and collects what is too large to stay inside it. */
export interface PayloadWriter {
  write(name: string, value: Json | undefined): Payload | undefined;
  failure(failure: Failure): ProtoFailure;
}

/** The way back: references are looked up among the payloads that the journal has loaded. */
export interface PayloadReader {
  read(payload: Payload | undefined): Json | undefined;
}

/** A writer for one event; what it claims is appended to `claims`. */
export function createPayloadWriter(claims: PayloadClaim[]): PayloadWriter {
  const writer: PayloadWriter = {
    write: (name, value) => (value === undefined ? undefined : writePayload(name, value, claims)),
    failure: (failure) => writeFailure(failure, writer),
  };
  return writer;
}

export function createPayloadReader(payloads: PayloadLookup): PayloadReader {
  return { read: (payload) => readPayload(payload, payloads) };
}

/** Whether a payload's text stays inside its event. */
export function staysInline(json: string): boolean {
  // A text has at most three bytes of UTF-8 for each of its code units: most texts need not be measured exactly.
  return json.length * 3 <= claimPayloadBytes || Buffer.byteLength(json) <= claimPayloadBytes;
}

function writePayload(name: string, value: Json, claims: PayloadClaim[]): Payload {
  const json = JSON.stringify(value);
  const payload = create(PayloadSchema);
  if (staysInline(json)) {
    payload.form = { case: "json", value: json };
    return payload;
  }
  const bytes = Buffer.from(json);
  const digest = createHash("sha256").update(bytes).digest("hex");
  claims.push({ digest, bytes, name });
  payload.form = {
    case: "reference",
    value: { $typeName: "heddle.common.v1.PayloadReference", digest, sizeBytes: BigInt(bytes.length) },
  };
  return payload;
}

function readPayload(payload: Payload | undefined, payloads: PayloadLookup): Json | undefined {
  if (payload === undefined) return undefined;
  switch (payload.form.case) {
    case "json":
      return JSON.parse(payload.form.value) as Json;
    case "reference":
      return JSON.parse(Buffer.from(payloads.get(payload.form.value.digest)).toString()) as Json;
    default:
      return null;
  }
}

function writeFailure(failure: Failure, writer: PayloadWriter): ProtoFailure {
  return create(FailureSchema, {
    type: failure.type,
    message: failure.message,
    nonRetryable: failure.retryable === false,
    retryAfterMs: BigInt(Math.ceil(failure.retryAfterMs ?? 0)),
    nodeId: failure.nodeId ?? "",
    business: failure.business === true,
    details: writer.write("failure.details", failure.details),
  });
}

export function readFailure(failure: ProtoFailure | undefined, reader: PayloadReader): Failure {
  const result: Failure = { type: failure?.type ?? "", message: failure?.message ?? "" };
  if (failure === undefined) return result;
  if (failure.nonRetryable) result.retryable = false;
  if (failure.business) result.business = true;
  if (failure.retryAfterMs > 0n) result.retryAfterMs = Number(failure.retryAfterMs);
  if (failure.nodeId !== "") result.nodeId = failure.nodeId;
  const details = reader.read(failure.details);
  if (details !== undefined) result.details = details;
  return result;
}

/** The object that a payload of an input holds; an absent one is empty. */
export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
