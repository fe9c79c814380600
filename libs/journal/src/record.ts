import { idFromBytes } from "./id.ts";
import type { JournalRecord } from "./types.ts";

/*
 * The wire form of journal rows and history chunks, plain protobuf, so that any tool can read it:
 *
 *   message JournalBatch { repeated Section sections = 1; }   // one journal row: one flush
 *   message Section {                                         // what the flush brought to one partition
 *     uint32 partition = 1;                                   // always written, always first
 *     uint64 previous_offset = 2;                             // of the row with the partition's section before this one
 *     repeated Record records = 3;
 *   }
 *   message HistoryChunk { repeated Record records = 3; }     // one row of history
 *   message Record {
 *     bytes id = 1;                       // 16 bytes of the UUID
 *     uint64 seq = 2;
 *     bytes event = 3;                    // whatever the aggregate's encodeEvent returned
 *     repeated bytes payload_digests = 4; // 32 bytes each
 *   }
 *
 * Written by hand into one buffer that the statement sends as it is: this runs once per event of the whole system.
 */

/** The events of one flush for one partition. */
export interface Section {
  partition: number;
  /** Offset of the partition's section before this one; 0 for the first. */
  previousOffset: number;
  records: readonly StoredRecord[];
}

/** A record with the binary form of its id, kept because many records share it. */
export interface StoredRecord extends JournalRecord {
  idBytes: Uint8Array;
}

const TAG_SECTION = 0x0a;
const TAG_PARTITION = 0x08;
const TAG_PREVIOUS = 0x10;
const TAG_RECORD = 0x1a;
const TAG_ID = 0x0a;
const TAG_SEQ = 0x10;
const TAG_EVENT = 0x1a;
const TAG_DIGEST = 0x22;
const ID_BYTES = 16;
const DIGEST_BYTES = 32;

export function encodeBatch(sections: readonly Section[]): Buffer {
  const bodies = sections.map(sectionSize);
  const buffer = Buffer.allocUnsafe(bodies.reduce((total, body) => total + 1 + varintSize(body) + body, 0));
  let at = 0;
  for (let i = 0; i < sections.length; i++) {
    const { partition, previousOffset, records } = sections[i] as Section;
    buffer[at++] = TAG_SECTION;
    at = writeVarint(buffer, at, bodies[i] as number);
    buffer[at++] = TAG_PARTITION;
    at = writeVarint(buffer, at, partition);
    buffer[at++] = TAG_PREVIOUS;
    at = writeVarint(buffer, at, previousOffset);
    at = writeRecords(buffer, at, records);
  }
  return buffer;
}

/** A HistoryChunk. */
export function encodeChunk(records: readonly StoredRecord[]): Buffer {
  const buffer = Buffer.allocUnsafe(recordsSize(records));
  writeRecords(buffer, 0, records);
  return buffer;
}

/**
 * The sections of the wanted partitions; the others are passed over unread. Throws RangeError on bytes that are not a
 * JournalBatch. Unknown fields are passed over.
 */
export function decodeBatch(bytes: Uint8Array, isWanted: (partition: number) => boolean): Section[] {
  const reader = createReader(bytes);
  const sections: Section[] = [];
  while (!reader.atEnd()) {
    const tag = reader.varint();
    if (tag !== TAG_SECTION) reader.skip(tag);
    else {
      const section = decodeSection(reader.bytes(), isWanted);
      if (section) sections.push(section);
    }
  }
  return sections;
}

function decodeSection(bytes: Uint8Array, isWanted: (partition: number) => boolean): Section | undefined {
  const reader = createReader(bytes);
  if (reader.varint() !== TAG_PARTITION) throw new RangeError("journal section does not begin with its partition");
  const partition = reader.varint();
  if (!isWanted(partition)) return undefined;
  let previousOffset = 0;
  const records: StoredRecord[] = [];
  while (!reader.atEnd()) {
    const tag = reader.varint();
    if (tag === TAG_RECORD) records.push(decodeRecord(reader.bytes()));
    else if (tag === TAG_PREVIOUS) previousOffset = reader.varint();
    else reader.skip(tag);
  }
  return { partition, previousOffset, records };
}

/** The records of a HistoryChunk. Throws like `decodeBatch`. */
export function decodeChunk(bytes: Uint8Array): StoredRecord[] {
  const reader = createReader(bytes);
  const records: StoredRecord[] = [];
  while (!reader.atEnd()) {
    const tag = reader.varint();
    if (tag === TAG_RECORD) records.push(decodeRecord(reader.bytes()));
    else reader.skip(tag);
  }
  return records;
}

function decodeRecord(bytes: Uint8Array): StoredRecord {
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

function sectionSize({ partition, previousOffset, records }: Section): number {
  return 1 + varintSize(partition) + 1 + varintSize(previousOffset) + recordsSize(records);
}

function recordsSize(records: readonly StoredRecord[]): number {
  let size = 0;
  for (const record of records) {
    const body = recordSize(record);
    size += 1 + varintSize(body) + body;
  }
  return size;
}

function writeRecords(target: Buffer, start: number, records: readonly StoredRecord[]): number {
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
