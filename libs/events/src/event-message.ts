import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { toBinary } from "@bufbuild/protobuf";

/**
 * One event on its way: CloudEvents 1.0 in binary mode of its Kafka binding, so that a consumer in any language can
 * read it with a stock library.
 */
export interface EventMessage {
  /** Full name of the protobuf message in `value`, e.g. `heddle.execution.v1.ExecutionEvent`. */
  readonly topic: string;
  /** Id of the aggregate: events of one key are delivered in order. */
  readonly key: string;
  /** Protobuf bytes. */
  readonly value: Uint8Array;
  readonly headers: EventHeaders;
}

/** Attributes of the event as header texts. */
export interface EventHeaders {
  /** The same for every copy of the event, e.g. `<execution id>/<seq>`. */
  readonly ce_id: string;
  /** Who says so, e.g. `/heddle/execution`. With ce_id unique in the world. */
  readonly ce_source: string;
  /** Full name of the protobuf message. */
  readonly ce_type: string;
  readonly ce_specversion: "1.0";
  readonly "content-type": "application/protobuf";
  /** RFC 3339. Absent when the publisher would have to decode the event to know it. */
  readonly ce_time?: string;
  /** Id of the aggregate. */
  readonly ce_subject: string;
  /** W3C trace context of what caused the event. */
  readonly traceparent?: string;
  /** Where the event stands at its source, see SourcePosition. Absent for events that come from no journal. */
  readonly "heddle-partition"?: string;
  readonly "heddle-offset"?: string;
  readonly "heddle-index"?: string;
}

/**
 * Where an event stands in what its source wrote: the row `offset` of a partition of its journal, and the place
 * `index` (from 0) within that row. Grows with every event of the partition, and is the same for every copy.
 */
export interface SourcePosition {
  readonly partition: number;
  readonly offset: number;
  readonly index: number;
}

export interface EventAttributes {
  id: string;
  source: string;
  key: string;
  position?: SourcePosition;
  /** Milliseconds since the epoch. */
  occurredAtMs?: number;
  traceparent?: string;
}

/** Makes the message of an event whose bytes are there already, as those of a journal are. */
export function createRawEventMessage(topic: string, value: Uint8Array, attributes: EventAttributes): EventMessage {
  const { id, source, key, position, occurredAtMs, traceparent } = attributes;
  return {
    topic,
    key,
    value,
    headers: {
      ce_id: id,
      ce_source: source,
      ce_type: topic,
      ce_specversion: "1.0",
      "content-type": "application/protobuf",
      ce_subject: key,
      ...(occurredAtMs !== undefined && { ce_time: new Date(occurredAtMs).toISOString() }),
      ...(traceparent && { traceparent }),
      ...(position && {
        "heddle-partition": String(position.partition),
        "heddle-offset": String(position.offset),
        "heddle-index": String(position.index),
      }),
    },
  };
}

/** Makes the message of an event; the topic is the full name of its type. */
export function createEventMessage<Desc extends DescMessage>(
  schema: Desc,
  event: MessageShape<Desc>,
  attributes: EventAttributes,
): EventMessage {
  return createRawEventMessage(schema.typeName, toBinary(schema, event), attributes);
}

/** Undefined when the event comes from no journal. Throws when the headers are there and make no sense. */
export function findSourcePosition(message: EventMessage): SourcePosition | undefined {
  const { "heddle-partition": partition, "heddle-offset": offset, "heddle-index": index } = message.headers;
  if (partition === undefined && offset === undefined) return undefined;
  return {
    partition: parseCount("heddle-partition", partition, message),
    offset: parseCount("heddle-offset", offset, message),
    // A source that writes one event per row need not number them.
    index: index === undefined ? 0 : parseCount("heddle-index", index, message),
  };
}

function parseCount(header: string, text: string | undefined, message: EventMessage): number {
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new Error(
    `event ${message.headers.ce_id} of ${message.topic}: header ${header} is ${JSON.stringify(text)}, not a whole number; its publisher is at fault`,
  );
}

/** Negative, zero or positive, as the first stands before, at or after the second. Only within one partition. */
export function comparePositions(
  a: Pick<SourcePosition, "offset" | "index">,
  b: Pick<SourcePosition, "offset" | "index">,
): number {
  return a.offset - b.offset || a.index - b.index;
}
