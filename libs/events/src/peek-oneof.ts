import type { DescMessage, MessageShape } from "@bufbuild/protobuf";

/** What has happened, in a message of events: one case of its oneof `event`. */
export type EventCase<D extends DescMessage> =
  MessageShape<D> extends { event: infer E } ? (E extends { case: infer C extends string } ? C : never) : never;

export interface PeekedCase<C> {
  case: C;
  /** The bytes of the message within. */
  value: Uint8Array;
}

/**
 * Makes a look at the bytes of events that finds those of some cases without decoding any: of tens of thousands of events a second a consumer
 * wants a few. Undefined for every other case, also for one that is newer than this release, and for what is no such message.
 */
export function createOneofPeek<D extends DescMessage, const C extends string>(
  schema: D,
  cases: readonly (C & EventCase<D>)[],
): (bytes: Uint8Array) => PeekedCase<C> | undefined {
  const members = schema.oneofs.find(({ localName }) => localName === "event")?.fields ?? [];
  const wanted = new Map(
    members.map(({ number, localName }) => [number, cases.find((name: string) => name === localName)]),
  );

  return (bytes) => {
    const reader: Reader = { bytes, at: 0 };
    while (reader.at < bytes.length) {
      const tag = readVarint(reader);
      if (!wanted.has(tag >>> 3)) {
        if (!skipField(reader, tag & 7)) return undefined;
        continue;
      }
      const name = wanted.get(tag >>> 3);
      return name === undefined || (tag & 7) !== BYTES ? undefined : { case: name, value: readBytes(reader) };
    }
    return undefined;
  };
}

/** The texts of fields of a message, in the order of `fields`; empty where there is none. Undefined for what is no message. */
export function peekTexts(bytes: Uint8Array, fields: readonly number[]): string[] | undefined {
  const texts = fields.map(() => "");
  const reader: Reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    const tag = readVarint(reader);
    const index = (tag & 7) === BYTES ? fields.indexOf(tag >>> 3) : -1;
    if (index >= 0) texts[index] = textOf(readBytes(reader));
    else if (!skipField(reader, tag & 7)) return undefined;
  }
  return texts;
}

/** Wire type of texts, bytes and messages. */
const BYTES = 2;

interface Reader {
  bytes: Uint8Array;
  at: number;
}

/** At most 32 bits: tags and lengths are never longer, and of other numbers only their end is of interest. */
function readVarint(reader: Reader): number {
  let value = 0;
  for (let shift = 0; reader.at < reader.bytes.length; shift += 7) {
    const byte = reader.bytes[reader.at++]!;
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value >>> 0;
}

/** What is there of them, if less than they say. */
function readBytes(reader: Reader): Uint8Array {
  const length = readVarint(reader);
  const start = reader.at;
  reader.at += length;
  return reader.bytes.subarray(start, reader.at);
}

function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  // A TextDecoder takes several times as long for texts of a few characters.
  return Buffer.from(buffer, byteOffset, length).toString("utf8");
}

/** False for a wire type that no message of ours has. */
function skipField(reader: Reader, wireType: number): boolean {
  if (wireType === 0) readVarint(reader);
  else if (wireType === 1) reader.at += 8;
  else if (wireType === BYTES) {
    const length = readVarint(reader);
    reader.at += length;
  } else if (wireType === 5) reader.at += 4;
  else return false;
  return true;
}
