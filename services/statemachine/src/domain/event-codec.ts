import { fromBinary, type Message } from "@bufbuild/protobuf";
import type { EncodedEvent, PayloadClaim, PayloadLookup } from "@heddle/journal";
import { createEventEncoder, createPayloadReader, createPayloadWriter } from "@heddle/journal-service";
import { StateMachineEventSchema } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { MachineEvent } from "@heddle/statechart";
import { fromProtoEvent } from "./event-from-proto.ts";
import { toProtoEvent } from "./event-to-proto.ts";

const encode = createEventEncoder(StateMachineEventSchema);

/** Encodes one event as the message that journal, history and Kafka share. */
export function encodeEvent(event: MachineEvent, context: { id: string; seq: number }): Uint8Array | EncodedEvent {
  const claims: PayloadClaim[] = [];
  const { case: kind, value } = toProtoEvent(event, createPayloadWriter(claims));
  const bytes = encode({ ...context, at: event.at }, kind as string, value as Message);
  return claims.length === 0 ? bytes : { bytes, payloads: claims };
}

export function decodeEvent(bytes: Uint8Array, payloads: PayloadLookup): MachineEvent {
  return fromProtoEvent(fromBinary(StateMachineEventSchema, bytes), createPayloadReader(payloads));
}
