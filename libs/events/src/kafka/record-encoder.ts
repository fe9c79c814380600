import { Buffer } from "node:buffer";

export interface RecordToEncode {
  offsetDelta?: number;
  timestampDelta?: number;
  key?: Buffer | string | null;
  value: Buffer | string | null;
  headers?: Readonly<Record<string, Bytes | Bytes[] | undefined>>;
}

type Bytes = Buffer | string;

/** What kafkajs copies into the batch. */
export interface EncodedRecord {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

const SLAB_BYTES = 256 * 1024;
/** Of every length that is written: the longest varint of 32 and of 64 bits. */
const VARINT_BYTES = 5;
const VARLONG_BYTES = 10;
const BYTES_PER_CHARACTER = 3;
/** The longest text whose length takes one byte. */
const SHORT_BYTES = 63;
const REMEMBERED_HEADERS = 256;

/** Records are copied soon after they are made, so they share memory that is allocated now and then. */
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let at = 0;

/** A header as it was written last: most have the same value in message after message. */
interface Remembered {
  readonly name: Buffer;
  value: string;
  bytes: Buffer | undefined;
}
const remembered = new Map<string, Remembered>();

/**
 * Record => Length Attributes TimestampDelta OffsetDelta Key Value Headers, as of magic 2. The same bytes as kafkajs
 * writes: it allocates half a kilobyte per header for them, which is most of what publishing an event then costs.
 */
export function encodeRecord(record: RecordToEncode): EncodedRecord {
  const { offsetDelta = 0, timestampDelta = 0, key, value, headers = {} } = record;
  reserve(bound(key, value, headers));
  const start = at;
  at += VARINT_BYTES;
  slab[at++] = 0;
  writeVarLong(timestampDelta);
  writeVarInt(offsetDelta);
  writeBytes(key);
  writeBytes(value);
  writeHeaders(headers);
  // The length comes first and is known last: it is put right before what it counts.
  const end = at;
  const length = end - start - VARINT_BYTES;
  at = start + VARINT_BYTES - varIntSize(length << 1);
  const first = at;
  writeVarInt(length);
  at = end;
  return { buf: slab, buffer: slab.subarray(first, end) };
}

function bound(
  key: RecordToEncode["key"],
  value: RecordToEncode["value"],
  headers: NonNullable<RecordToEncode["headers"]>,
): number {
  let bytes = 4 * VARINT_BYTES + VARLONG_BYTES + 1 + maxBytes(key) + maxBytes(value);
  for (const name in headers) {
    const given = headers[name];
    for (const one of Array.isArray(given) ? given : [given])
      bytes += 2 * VARINT_BYTES + name.length * BYTES_PER_CHARACTER + maxBytes(one);
  }
  return bytes;
}

function maxBytes(given: Bytes | null | undefined): number {
  if (given == null) return 0;
  return typeof given === "string" ? given.length * BYTES_PER_CHARACTER : given.length;
}

function reserve(bytes: number): void {
  if (slab.length - at >= bytes) return;
  slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
  at = 0;
}

function writeHeaders(headers: NonNullable<RecordToEncode["headers"]>): void {
  let count = 0;
  for (const name in headers) {
    const given = headers[name];
    count += Array.isArray(given) ? given.length : 1;
  }
  writeVarInt(count);
  for (const name in headers) {
    const given = headers[name];
    if (typeof given === "string") writeRemembered(name, given);
    else for (const one of Array.isArray(given) ? given : [given]) writeHeader(name, one);
  }
}

function writeHeader(name: string, value: Bytes | undefined): void {
  writeText(name);
  writeBytes(value);
}

function writeRemembered(name: string, value: string): void {
  const known = remembered.get(name);
  if (known === undefined) {
    const start = at;
    writeText(name);
    if (remembered.size >= REMEMBERED_HEADERS) remembered.clear();
    remembered.set(name, { name: Buffer.from(slab.subarray(start, at)), value, bytes: undefined });
    writeText(value);
    return;
  }
  if (known.value === value && known.bytes !== undefined) {
    slab.set(known.bytes, at);
    at += known.bytes.length;
    return;
  }
  const start = at;
  slab.set(known.name, at);
  at += known.name.length;
  writeText(value);
  // Twice the same: likely for good.
  known.bytes = known.value === value ? Buffer.from(slab.subarray(start, at)) : undefined;
  known.value = value;
}

function writeBytes(given: Bytes | null | undefined): void {
  if (given == null) {
    writeVarInt(-1);
  } else if (typeof given === "string") {
    writeText(given);
  } else {
    writeVarInt(given.length);
    slab.set(given, at);
    at += given.length;
  }
}

function writeText(text: string): void {
  const written = slab.write(text, at + 1);
  if (written <= SHORT_BYTES) {
    slab[at] = written << 1;
    at += 1 + written;
    return;
  }
  const lengthBytes = varIntSize(written << 1);
  slab.copyWithin(at + lengthBytes, at + 1, at + 1 + written);
  writeVarInt(written);
  at += written;
}

function writeVarInt(value: number): void {
  writeUnsigned(((value << 1) ^ (value >> 31)) >>> 0);
}

function writeUnsigned(value: number): void {
  let left = value;
  while (left > 0x7f) {
    slab[at++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  slab[at++] = left;
}

/** Timestamps of one batch lie close together, mostly. */
function writeVarLong(value: number): void {
  if (value >= -0x4000_0000 && value < 0x4000_0000) {
    writeVarInt(value);
    return;
  }
  const long = BigInt(value);
  let left = BigInt.asUintN(64, (long << 1n) ^ (long >> 63n));
  while (left > 0x7fn) {
    slab[at++] = Number(left & 0x7fn) | 0x80;
    left >>= 7n;
  }
  slab[at++] = Number(left);
}

function varIntSize(unsigned: number): number {
  let bytes = 1;
  for (let left = unsigned >>> 7; left !== 0; left >>>= 7) bytes += 1;
  return bytes;
}
