import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Event } from "@heddle/engine";
import type { EncodedEvent, PayloadClaim, PayloadLookup } from "@heddle/journal";
import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { fromProtoEvent } from "./event-from-proto.ts";
import { toProtoEvent } from "./event-to-proto.ts";
import { createPayloadReader, createPayloadWriter, staysInline } from "@heddle/journal-service";
import { encodeTaskEvent } from "./task-event-bytes.ts";

/** Encodes one event as the message that journal, history and Kafka share. */
export function encodeEvent(event: Event, context: { id: string; seq: number }): Uint8Array | EncodedEvent {
  if (event.type === "task_scheduled" || event.type === "task_completed") {
    const payload = event.type === "task_scheduled" ? event.input : event.output;
    const json = payload === undefined ? undefined : JSON.stringify(payload);
    if (json === undefined || staysInline(json)) return encodeTaskEvent(context.id, context.seq, event, json);
  }
  return encodeByReflection(event, context);
}

/** Any event, with what is too large claimed. */
export function encodeByReflection(event: Event, context: { id: string; seq: number }): Uint8Array | EncodedEvent {
  const claims: PayloadClaim[] = [];
  const message = create(ExecutionEventSchema);
  message.executionId = context.id;
  message.seq = BigInt(context.seq);
  message.occurredAt = timestampOf(event.at);
  message.event = toProtoEvent(event, createPayloadWriter(claims));
  const bytes = toBinary(ExecutionEventSchema, message);
  return claims.length === 0 ? bytes : { bytes, payloads: claims };
}

export function decodeEvent(bytes: Uint8Array, payloads: PayloadLookup): Event {
  const message: ExecutionEvent = fromBinary(ExecutionEventSchema, bytes);
  return fromProtoEvent(message, createPayloadReader(payloads));
}

function timestampOf(ms: number): ExecutionEvent["occurredAt"] {
  const seconds = Math.floor(ms / 1000);
  return {
    $typeName: "google.protobuf.Timestamp",
    seconds: BigInt(seconds),
    nanos: Math.round((ms - seconds * 1000) * 1e6),
  };
}
