import { fromBinary, type Message } from "@bufbuild/protobuf";
import type { Event } from "@heddle/engine";
import type { EncodedEvent, PayloadClaim, PayloadLookup } from "@heddle/journal";
import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { fromProtoEvent } from "./event-from-proto.ts";
import { toProtoEvent } from "./event-to-proto.ts";
import { createEventEncoder, createPayloadReader, createPayloadWriter, staysInline } from "@heddle/journal-service";
import { encodeTaskEvent } from "./task-event-bytes.ts";

/** Encodes one event as the message that journal, history and Kafka share. */
export function encodeEvent(event: Event, context: { id: string; seq: number }): Uint8Array | EncodedEvent {
  if (event.type === "task_scheduled" || event.type === "task_completed") {
    const payload = event.type === "task_scheduled" ? event.input : event.output;
    const json = payload === undefined ? undefined : JSON.stringify(payload);
    if (json === undefined || staysInline(json)) return encodeTaskEvent(context.id, context.seq, event, json);
  }
  const claims: PayloadClaim[] = [];
  const { case: kind, value } = toProtoEvent(event, createPayloadWriter(claims));
  const bytes = encode({ ...context, at: event.at }, kind as string, value as Message);
  return claims.length === 0 ? bytes : { bytes, payloads: claims };
}

const encode = createEventEncoder(ExecutionEventSchema);

export function decodeEvent(bytes: Uint8Array, payloads: PayloadLookup): Event {
  const message: ExecutionEvent = fromBinary(ExecutionEventSchema, bytes);
  return fromProtoEvent(message, createPayloadReader(payloads));
}
