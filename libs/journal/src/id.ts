import { hash, randomFillSync } from "node:crypto";

/*
 * Ids are UUIDv7. The low six bits of the last byte, random in a plain UUIDv7, are the partition: any process can
 * tell it from the id, and the time in front keeps indexes dense.
 */

const MAX_PARTITIONS = 64;
const PARTITION_MASK = 0x3f;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// One call to the kernel's generator per 256 ids: a call for each would cost more than all the rest.
const pool = new Uint8Array(16 * 256);
let poolOffset = pool.length;

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Whether the text is an id in canonical form (lower case, with dashes). */
export function isId(text: string): boolean {
  return UUID.test(text);
}

/** A new id in the partition (0 … 63), `now` in milliseconds since the epoch. */
export function newId(partition: number, now: number): string {
  checkPartition(partition);
  if (poolOffset === pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const bytes = pool.subarray(poolOffset, poolOffset + 16);
  poolOffset += 16;
  writeTime(bytes, now);
  return finish(bytes, partition);
}

/**
 * The id of the child called `name` of `parentId`: the same for the same pair, in the parent's partition, with the
 * parent's time, so that joins stay in memory and a repeated start finds the first.
 */
export function childId(parentId: string, name: string): string {
  const parent = idToBytes(parentId);
  const bytes = hash("sha256", Buffer.concat([parent, Buffer.from(name)]), "buffer").subarray(0, 16);
  bytes.set(parent.subarray(0, 6), 0);
  return finish(bytes, partitionBits(parentId));
}

/** The six bits (0 … 63) of the partition. */
export function partitionBits(id: string): number {
  return (hexDigit(id.charCodeAt(34)) * 16 + hexDigit(id.charCodeAt(35))) & PARTITION_MASK;
}

/** The partition of a caller's key: the same key always meets the same owner. */
export function keyPartition(namespace: string, key: string, partitions: number): number {
  const digest = hash("sha256", `${namespace}\u0000${key}`, "buffer");
  return digest.readUInt32BE(0) % partitions;
}

/** Milliseconds since the epoch at which the id was made. */
export function idTime(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** Where the ids of a time begin: those made at `time` (milliseconds since the epoch) or later are not smaller, all others are. */
export function idBound(time: number): string {
  const hex = time.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

export function idToBytes(id: string): Uint8Array {
  return Buffer.from(id.replaceAll("-", ""), "hex");
}

export function idFromBytes(b: Uint8Array): string {
  let text = "";
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += hexOfByte[b[i] as number];
  }
  return text;
}

function writeTime(bytes: Uint8Array, now: number): void {
  const high = Math.floor(now / 0x1_0000_0000);
  bytes[0] = high >>> 8;
  bytes[1] = high;
  bytes[2] = now >>> 24;
  bytes[3] = now >>> 16;
  bytes[4] = now >>> 8;
  bytes[5] = now;
}

function finish(bytes: Uint8Array, partition: number): string {
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  bytes[15] = ((bytes[15] as number) & ~PARTITION_MASK) | partition;
  return idFromBytes(bytes);
}

function checkPartition(partition: number): void {
  if (!Number.isInteger(partition) || partition < 0 || partition >= MAX_PARTITIONS) {
    throw new RangeError(`partition must be an integer from 0 to ${MAX_PARTITIONS - 1}, got ${partition}`);
  }
}

function hexDigit(charCode: number): number {
  return charCode <= 57 ? charCode - 48 : (charCode | 0x20) - 87;
}
