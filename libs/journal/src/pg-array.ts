/*
 * One-dimensional Postgres arrays in binary form. As text a bytea[] would travel as hexadecimal, twice the size, and
 * be parsed on both sides.
 */

const INT2 = 21;
const INT8 = 20;
const BYTEA = 17;
const HEADER_BYTES = 20;

/** Starts an array whose elements take `bodyBytes`, lengths included; the caller writes them from the offset on. */
function begin(elementType: number, count: number, bodyBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + bodyBytes);
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0); // dimensions
  buffer.writeInt32BE(0, 4); // no nulls
  buffer.writeInt32BE(elementType, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16); // lower bound
  return count === 0 ? buffer.subarray(0, 12) : buffer;
}

export function int2Array(values: readonly number[]): Buffer {
  const buffer = begin(INT2, values.length, values.length * 6);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(2, at);
    buffer.writeInt16BE(value, at + 4);
    at += 6;
  }
  return buffer;
}

/** Values up to 2^53. */
export function int8Array(values: readonly number[]): Buffer {
  const buffer = begin(INT8, values.length, values.length * 12);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(8, at);
    buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), at + 4);
    buffer.writeUInt32BE(value % 0x1_0000_0000, at + 8);
    at += 12;
  }
  return buffer;
}

export function byteaArray(elements: readonly Uint8Array[]): Buffer {
  const buffer = begin(
    BYTEA,
    elements.length,
    elements.reduce((total, bytes) => total + bytes.length + 4, 0),
  );
  let at = HEADER_BYTES;
  for (const bytes of elements) {
    buffer.writeInt32BE(bytes.length, at);
    buffer.set(bytes, at + 4);
    at += bytes.length + 4;
  }
  return buffer;
}
