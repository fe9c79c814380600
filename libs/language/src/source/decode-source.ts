import { MAX_SOURCE_BYTES } from "../limits.ts";
import type { Report } from "../report.ts";

/** @returns undefined, with a finding, when the bytes are too many or no UTF-8. */
export function decodeSource(source: string | Uint8Array, report: Report): string | undefined {
  const size = typeof source === "string" ? utf8Length(source) : source.length;
  if (size > MAX_SOURCE_BYTES) {
    report.add(
      "too-large",
      { start: 0, end: 1 },
      `the definition has ${size} bytes; ${MAX_SOURCE_BYTES} are allowed`,
      "move data out of it, or split it into sub-workflows",
    );
    return undefined;
  }
  if (typeof source === "string") return source.replace(/^\uFEFF/, "");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch {
    report.add("bad-encoding", { start: 0, end: 1 }, "the file is not UTF-8 text", "save it as UTF-8");
    return undefined;
  }
}

function utf8Length(text: string): number {
  return text.length > MAX_SOURCE_BYTES ? text.length : new TextEncoder().encode(text).length;
}
