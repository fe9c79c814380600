import {
  type DescField,
  type DescMessage,
  type DescOneof,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import type { Event } from "@heddle/engine";
import type { EncodedEvent, PayloadClaim, PayloadLookup } from "@heddle/journal";
import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { fromProtoEvent } from "./event-from-proto.ts";
import { toProtoEvent } from "./event-to-proto.ts";
import { createPayloadReader, createPayloadWriter, staysInline } from "@heddle/journal-service";
import { encodeEnvelope, encodeTaskEvent } from "./event-bytes.ts";

/** Encodes one event as the message that journal, history and Kafka share. */
export function encodeEvent(event: Event, context: { id: string; seq: number }): Uint8Array | EncodedEvent {
  if (event.type === "task_scheduled" || event.type === "task_completed") {
    const payload = event.type === "task_scheduled" ? event.input : event.output;
    const json = payload === undefined ? undefined : JSON.stringify(payload);
    if (json === undefined || staysInline(json)) return encodeTaskEvent(context.id, context.seq, event, json);
  }
  const claims: PayloadClaim[] = [];
  const { case: kind, value } = toProtoEvent(event, createPayloadWriter(claims));
  const { number: field, message } = FIELDS.get(kind as string) as DescField & { message: DescMessage };
  const content = toBinary(message, value as Message);
  const bytes = encodeEnvelope(context.id, context.seq, event.at, { field, content });
  return claims.length === 0 ? bytes : { bytes, payloads: claims };
}

const FIELDS = new Map((ExecutionEventSchema.oneofs[0] as DescOneof).fields.map((field) => [field.localName, field]));

export function decodeEvent(bytes: Uint8Array, payloads: PayloadLookup): Event {
  const message: ExecutionEvent = fromBinary(ExecutionEventSchema, bytes);
  return fromProtoEvent(message, createPayloadReader(payloads));
}
