/*
 * Protobuf written by hand into one buffer, for what is written so often that the library's writer, with a buffer for each message,
 * would take as long as everything else. One message at a time: begin, write, take.
 */

/** Everything but payloads is bounded by the limits on ids and names; this is far above. */
const OVERHEAD_BYTES = 4096;
let buffer = Buffer.allocUnsafeSlow(256 * 1024);
let position = 0;

/** `bytes`: of what comes, without ids and numbers. */
export function beginMessage(bytes: number): void {
  if (buffer.length < bytes + OVERHEAD_BYTES) buffer = Buffer.allocUnsafeSlow((bytes + OVERHEAD_BYTES) * 2);
  position = 0;
}

/** From the pool of Buffer: an array of its own for each small message would cost more than writing it. */
export function takeMessage(): Uint8Array {
  return Buffer.from(buffer.subarray(0, position));
}

/** Plain fields with their default value are left out. */
export function writeNumber(tag: number, value: number): void {
  if (value === 0) return;
  writeVarint(tag);
  writeVarint(value);
}

export function writeString(tag: number, text: string, bytes: number): void {
  if (bytes === 0) return;
  writeVarint(tag);
  writeVarint(bytes);
  writeText(text, bytes);
}

export function writeText(text: string, bytes: number): void {
  // Texts of ASCII only, which most are, need no transcoding.
  buffer.write(text, position, bytes === text.length ? "latin1" : "utf8");
  position += bytes;
}

/** Whole numbers from 0 to 2^53: above 2^31 bit operations would cut them. */
export function writeVarint(value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    buffer[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[position++] = rest;
}

export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

export function numberSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

export function stringSize(bytes: number): number {
  return bytes === 0 ? 0 : 1 + varintSize(bytes) + bytes;
}

export function writeBytes(bytes: Uint8Array): void {
  buffer.set(bytes, position);
  position += bytes.length;
}
