import type { Json } from "./json.ts";
import { MAX_PAYLOAD_DEPTH } from "./limits.ts";

/** A size that no payload may have; finite, so that sums of sizes survive a snapshot. */
const TOO_DEEP = 2 ** 40;
/** A UTF-16 code unit takes at most six bytes of JSON text: `\u001f`. */
const MAX_BYTES_PER_UNIT = 6;

/**
 * Bytes of a value as JSON text, about: as if nothing had to be escaped and every character were ASCII. Cheap enough to
 * be taken of every payload; the true size is at most six times this.
 */
export function approximateBytes(value: Json, depth = 0): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value === "number") return 24;
  if (typeof value !== "object" || value === null) return 5;
  if (depth >= MAX_PAYLOAD_DEPTH) return TOO_DEEP;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) bytes += 1 + approximateBytes(item, depth + 1);
  } else {
    for (const name in value) bytes += name.length + 4 + approximateBytes(value[name] as Json, depth + 1);
  }
  return bytes;
}

/** What is wrong with a payload's size, as the end of a sentence, or undefined. */
export function findSizeFault(value: Json, maxBytes: number): string | undefined {
  const about = approximateBytes(value);
  if (about >= TOO_DEEP) return `is nested deeper than ${MAX_PAYLOAD_DEPTH} levels; flatten it`;
  if (about * MAX_BYTES_PER_UNIT <= maxBytes) return undefined;
  const bytes = utf8Length(JSON.stringify(value));
  if (bytes <= maxBytes) return undefined;
  return `is ${bytes} bytes of JSON, and the limit is ${maxBytes}; keep the data elsewhere and pass a reference to it`;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // The two halves of a surrogate pair make four bytes together.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
