import type { Buffer } from "node:buffer";

/** What kafkajs knows of the batch that a record stands in. */
export interface BatchContext {
  readonly firstOffset: string;
  readonly firstTimestamp: string;
  readonly maxTimestamp?: string;
  readonly magicByte: number;
  readonly isControlBatch?: boolean;
  /** 0 when producers say the time, 1 when the broker does. */
  readonly timestampType: number;
}

export interface DecodedRecord {
  magicByte: number;
  attributes: number;
  timestamp: string;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | null | (Buffer | null)[]>;
  isControlRecord: boolean;
  batchContext: BatchContext;
}

const LOG_APPEND_TIME = 1;
const REMEMBERED_NAMES = 64;

/** Names of headers in the order in which they came: the next record mostly has the same at the same place. */
const names: { readonly bytes: Uint8Array; readonly text: string }[] = [];
let buffer: Buffer;
let at = 0;

/**
 * The counterpart of `encodeRecord`. The same record as kafkajs reads: it copies all headers for each header, and
 * computes in BigInt, which is most of what consuming an event then costs.
 */
export function decodeRecord(decoder: { buffer: Buffer; offset: number }, batchContext: BatchContext): DecodedRecord {
  ({ buffer } = decoder);
  at = decoder.offset;
  const attributes = buffer.readInt8(at++);
  const timestamp = readTimestamp(batchContext);
  const offset = add(batchContext.firstOffset, readVarInt());
  const key = readBytes();
  const value = readBytes();
  const headers = readHeaders();
  decoder.offset = at;
  return {
    magicByte: batchContext.magicByte,
    attributes,
    timestamp,
    offset,
    key,
    value,
    headers,
    isControlRecord: batchContext.isControlBatch ?? false,
    batchContext,
  };
}

function readHeaders(): DecodedRecord["headers"] {
  const headers: DecodedRecord["headers"] = {};
  const count = readVarInt();
  for (let index = 0; index < count; index += 1) {
    const name = readName(index);
    const value = readBytes();
    // Assigned to, it would not become a header.
    if (name === "__proto__") continue;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else headers[name] = [before, value];
  }
  return headers;
}

function readName(index: number): string {
  const length = readVarInt();
  // kafkajs makes of a name that is absent what an object makes of null.
  if (length < 0) return "null";
  const known = names[index];
  const end = at + length;
  if (known !== undefined && isSame(known.bytes, length)) {
    at = end;
    return known.text;
  }
  const text = buffer.toString("utf8", at, end);
  if (index < REMEMBERED_NAMES) names[index] = { bytes: Uint8Array.from(buffer.subarray(at, end)), text };
  at = end;
  return text;
}

function isSame(bytes: Uint8Array, length: number): boolean {
  if (bytes.length !== length) return false;
  for (let index = 0; index < length; index += 1) if (bytes[index] !== buffer[at + index]) return false;
  return true;
}

function readBytes(): Buffer | null {
  const length = readVarInt();
  if (length < 0) return null;
  const bytes = buffer.subarray(at, at + length);
  at += length;
  return bytes;
}

function readTimestamp({ timestampType, maxTimestamp, firstTimestamp }: BatchContext): string {
  const delta = readVarLong();
  if (timestampType === LOG_APPEND_TIME && maxTimestamp !== undefined) return maxTimestamp;
  return delta === 0 ? firstTimestamp : String(BigInt(firstTimestamp) + BigInt(delta));
}

/** Offsets are below 2^53 for longer than there will be brokers. */
function add(first: string, delta: number): string {
  return String(Number(first) + delta);
}

function readVarInt(): number {
  let unsigned = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = next();
    unsigned |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (unsigned >>> 1) ^ -(unsigned & 1);
  }
}

function readVarLong(): number | bigint {
  const first = next();
  if (first < 0x80) return (first >>> 1) ^ -(first & 1);
  let unsigned = BigInt(first & 0x7f);
  for (let shift = 7n; ; shift += 7n) {
    const byte = next();
    unsigned |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return (unsigned >> 1n) ^ -(unsigned & 1n);
  }
}

function next(): number {
  const byte = buffer[at++];
  if (byte === undefined) throw new RangeError("the record ends too early");
  return byte;
}
