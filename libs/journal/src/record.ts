import type { JournalRecord } from "./types.ts";

/*
 * The wire form of journal rows and history chunks, plain protobuf, so that any tool can read it:
 *
 *   message JournalBatch { repeated Record records = 1; }
 *   message Record {
 *     bytes id = 1;                       // 16 bytes of the UUID
 *     uint64 seq = 2;
 *     bytes event = 3;                    // whatever the aggregate's encodeEvent returned
 *     repeated bytes payload_digests = 4; // 32 bytes each
 *   }
 *
 * Written by hand into one buffer that the statement sends as it is: this runs once per event of the whole system.
 */

/** A record with the binary form of its id, kept because many records share it. */
export interface StoredRecord extends JournalRecord {
  idBytes: Uint8Array;
}

const TAG_RECORD = 0x0a;
const TAG_ID = 0x0a;
const TAG_SEQ = 0x10;
const TAG_EVENT = 0x1a;
const TAG_DIGEST = 0x22;
const ID_BYTES = 16;
const DIGEST_BYTES = 32;

/** Bytes of a JournalBatch with these records. */
export function batchSize(records: readonly StoredRecord[]): number {
  let size = 0;
  for (const record of records) {
    const body = recordSize(record);
    size += 1 + varintSize(body) + body;
  }
  return size;
}

/** Writes a JournalBatch at the offset and returns the offset behind it. */
export function writeBatch(target: Buffer, start: number, records: readonly StoredRecord[]): number {
  let at = start;
  for (const record of records) {
    target[at++] = TAG_RECORD;
    at = writeVarint(target, at, recordSize(record));
    target[at++] = TAG_ID;
    target[at++] = ID_BYTES;
    target.set(record.idBytes, at);
    at += ID_BYTES;
    target[at++] = TAG_SEQ;
    at = writeVarint(target, at, record.seq);
    target[at++] = TAG_EVENT;
    at = writeVarint(target, at, record.bytes.length);
    target.set(record.bytes, at);
    at += record.bytes.length;
    for (const digest of record.payloadDigests) {
      target[at++] = TAG_DIGEST;
      target[at++] = DIGEST_BYTES;
      at += target.write(digest, at, "hex");
    }
  }
  return at;
}

export function encodeBatch(records: readonly StoredRecord[]): Buffer {
  const buffer = Buffer.allocUnsafe(batchSize(records));
  writeBatch(buffer, 0, records);
  return buffer;
}

/** Throws RangeError on bytes that are not a JournalBatch. Unknown fields are passed over. */
export function decodeBatch(bytes: Uint8Array, idFromBytes: (bytes: Uint8Array) => string): StoredRecord[] {
  const reader = createReader(bytes);
  const records: StoredRecord[] = [];
  while (!reader.atEnd()) {
    const tag = reader.varint();
    if (tag === TAG_RECORD) records.push(decodeRecord(reader.bytes(), idFromBytes));
    else reader.skip(tag);
  }
  return records;
}

function decodeRecord(bytes: Uint8Array, idFromBytes: (bytes: Uint8Array) => string): StoredRecord {
  const reader = createReader(bytes);
  let idBytes: Uint8Array | undefined;
  let seq = 0;
  let event: Uint8Array = NO_BYTES;
  let payloadDigests: string[] | undefined;
  while (!reader.atEnd()) {
    const tag = reader.varint();
    if (tag === TAG_ID) idBytes = reader.bytes();
    else if (tag === TAG_SEQ) seq = reader.varint();
    else if (tag === TAG_EVENT) event = reader.bytes();
    else if (tag === TAG_DIGEST) {
      payloadDigests ??= [];
      payloadDigests.push(Buffer.from(reader.bytes()).toString("hex"));
    } else reader.skip(tag);
  }
  if (idBytes?.length !== ID_BYTES) throw new RangeError("journal record without a 16-byte id");
  return { id: idFromBytes(idBytes), idBytes, seq, bytes: event, payloadDigests: payloadDigests ?? NO_DIGESTS };
}

const NO_BYTES = new Uint8Array(0);
export const NO_DIGESTS: readonly string[] = [];

function recordSize(record: StoredRecord): number {
  const { length } = record.bytes;
  return (
    2 +
    ID_BYTES +
    1 +
    varintSize(record.seq) +
    1 +
    varintSize(length) +
    length +
    record.payloadDigests.length * (2 + DIGEST_BYTES)
  );
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

function writeVarint(target: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  // Division, not shifts: a seq may pass 32 bits.
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  return at;
}

function createReader(source: Uint8Array) {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = source[at++];
      if (byte === undefined || factor > 2 ** 49) throw new RangeError("journal batch ends in the middle of a number");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  };
  const bytes = (): Uint8Array => {
    const length = varint();
    if (at + length > source.length) throw new RangeError("journal batch ends in the middle of a field");
    at += length;
    return source.subarray(at - length, at);
  };
  const skip = (tag: number): void => {
    const wireType = tag & 7;
    if (wireType === 0) varint();
    else if (wireType === 1) at += 8;
    else if (wireType === 2) bytes();
    else if (wireType === 5) at += 4;
    else throw new RangeError(`journal batch has a field of unknown wire type ${wireType}`);
  };
  return { atEnd: () => at >= source.length, varint, bytes, skip };
}
