import { DomainError } from "@heddle/errors";
import type { IHeaders, KafkaMessage, Message } from "kafkajs";
import type { EventHeaders, EventMessage } from "../event-message.ts";

/** Lengths, offsets and flags of a record, and of each of its headers. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 4;

/**
 * Bytes of the record before compression; a little less for text beyond ASCII, where the broker has the last word.
 * Throws on what kafkajs would fail over only while it sends: with it, a batch would be repeated without end.
 */
export function measureMessage({ topic, key, value, headers }: EventMessage): number {
  if (typeof topic !== "string" || topic === "") throw malformed(headers, `topic is ${JSON.stringify(topic)}`);
  if (typeof key !== "string") throw malformed(headers, `key is ${typeof key}, not text`);
  if (!(value instanceof Uint8Array)) throw malformed(headers, "value is not bytes");
  let bytes = RECORD_OVERHEAD_BYTES + key.length + value.byteLength;
  for (const name in headers) {
    const text: unknown = headers[name as keyof EventHeaders];
    if (text === undefined) continue;
    if (typeof text !== "string") throw malformed(headers, `header ${name} is ${typeof text}, not text`);
    bytes += HEADER_OVERHEAD_BYTES + name.length + text.length;
  }
  return bytes;
}

/** kafkajs writes strings as UTF-8 and Buffers as they are; a plain Uint8Array it would garble. */
export function toKafkaMessage({ key, value, headers }: EventMessage): Message {
  return {
    key,
    value: Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    headers: withoutAbsent(headers),
  };
}

/** Foreign messages may lack headers; then so does the result, and whoever needs them refuses it. */
export function fromKafkaMessage(topic: string, { key, value, headers = {} }: KafkaMessage): EventMessage {
  const texts: Record<string, string> = {};
  for (const name in headers) {
    const given = headers[name];
    // Of a header that is repeated the last one counts.
    const last = Array.isArray(given) ? given.at(-1) : given;
    if (last != null) texts[name] = last.toString();
  }
  return {
    topic,
    key: key === null ? "" : key.toString(),
    value: value ?? new Uint8Array(),
    headers: texts as unknown as EventHeaders,
  };
}

function withoutAbsent(headers: EventHeaders): IHeaders {
  const given = headers as unknown as Record<string, string | undefined>;
  for (const name in given) {
    if (given[name] === undefined)
      return Object.fromEntries(Object.entries(given).filter(([, text]) => text !== undefined));
  }
  return given;
}

function malformed(headers: EventHeaders, what: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "EVENT_MALFORMED",
    message: `event ${headers?.ce_id}: ${what}; make messages with createEventMessage or createRawEventMessage`,
  });
}
