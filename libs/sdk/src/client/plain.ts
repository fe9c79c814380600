import { toJson, type DescEnum } from "@bufbuild/protobuf";
import { timestampDate, ValueSchema, type Timestamp, type Value } from "@bufbuild/protobuf/wkt";
import type { Failure as FailureMessage } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import type { Json } from "../json.ts";

/** Why a task, a node or an execution did not succeed. */
export interface Failure {
  /** For programs: `timeout`, `worker_lost`, `expression`, ..., or a type of the worker's own. */
  type: string;
  message: string;
  retryable: boolean;
  /** A business exception: nothing is broken. */
  business: boolean;
  /** The shortest wait that the worker asked for, milliseconds; 0 when it did not. */
  retryAfterMs: number;
  /** Node that failed; empty when the failure does not come from a node. */
  nodeId: string;
  details?: Json | PayloadReference;
}

/** Stands in an event for a value above 64 KiB, which is stored beside the history: `client.payload(reference)` fetches it. */
export class PayloadReference {
  /** SHA-256 of the JSON text, hexadecimal. */
  readonly digest: string;
  readonly sizeBytes: number;

  constructor(digest: string, sizeBytes: number) {
    this.digest = digest;
    this.sizeBytes = sizeBytes;
  }
}

export function plainPayload(payload: Payload | undefined): Json | PayloadReference {
  switch (payload?.form.case) {
    case "json":
      return JSON.parse(payload.form.value) as Json;
    case "reference":
      return new PayloadReference(payload.form.value.digest, Number(payload.form.value.sizeBytes));
    default:
      return null;
  }
}

export function plainFailure(failure: FailureMessage): Failure {
  const { type, message, nonRetryable, business, retryAfterMs, nodeId, details } = failure;
  return {
    type,
    message,
    retryable: !nonRetryable,
    business,
    retryAfterMs: Number(retryAfterMs),
    nodeId,
    ...(details && { details: plainPayload(details) }),
  };
}

export function plainValue(value: Value): Json {
  return toJson(ValueSchema, value);
}

export function plainTime(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp && timestampDate(timestamp);
}

/** `EXECUTION_STATUS_RUNNING` is `running` for users. A value of a newer contract comes as its number. */
export function enumName<T extends string>(schema: DescEnum, value: number): T {
  return (schema.value[value]?.localName.toLowerCase() ?? String(value)) as T;
}

/** @throws TypeError that lists the names */
export function enumValue(schema: DescEnum, name: string): number {
  const found = schema.values.find(({ localName }) => localName.toLowerCase() === name);
  if (found !== undefined) return found.number;
  const names = schema.values.filter(({ number }) => number !== 0).map(({ localName }) => localName.toLowerCase());
  throw new TypeError(`"${name}" is none of ${names.join(", ")}`);
}
