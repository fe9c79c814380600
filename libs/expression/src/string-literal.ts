import { ExpressionError } from "./expression-error.ts";
import { Opaque } from "./value.ts";
import type { Value } from "./value.ts";

const SIMPLE_ESCAPES = new Map([
  ["a", "\u0007"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["\\", "\\"],
  ["?", "?"],
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
]);
const NUMERIC_ESCAPE = /[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})/y;

/** Reads the text literal at `offset`; `opening` is its prefix and quotes (`r"""`), `quotes` the quotes alone. */
export function readString(
  source: string,
  offset: number,
  opening: string,
  quotes: string,
): { value: Value; end: number } {
  const isRaw = /[rR]/.test(opening);
  const isBytes = /[bB]/.test(opening);
  const parts: Part[] = [];
  let at = offset + opening.length;
  while (!source.startsWith(quotes, at)) {
    const character = source.charAt(at);
    if (character === "" || (quotes.length === 1 && character === "\n")) throw unterminated(offset, at, quotes);
    // In a raw text a backslash still keeps the quote after it from ending the text.
    const part = character !== "\\" ? character : isRaw ? source.slice(at, at + 2) : undefined;
    if (part === undefined) {
      const escape = readEscape(source, at, isBytes);
      parts.push(escape.part);
      at = escape.end;
    } else {
      parts.push(part);
      at += part.length;
    }
  }
  return { value: isBytes ? new Opaque(toBytes(parts)) : parts.join(""), end: at + quotes.length };
}

/** A text, or one byte: `\xff` in a bytes literal is that byte and not the character. */
type Part = string | number;

function toBytes(parts: Part[]): Uint8Array {
  const encoder = new TextEncoder();
  // Surrogate pairs stand in two parts; joined first, they are one character.
  const bytes: number[] = [];
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") text += part;
    else {
      bytes.push(...encoder.encode(text), part);
      text = "";
    }
  }
  return Uint8Array.from([...bytes, ...encoder.encode(text)]);
}

function readEscape(source: string, at: number, isBytes: boolean): { part: Part; end: number } {
  const simple = SIMPLE_ESCAPES.get(source.charAt(at + 1));
  if (simple !== undefined) return { part: simple, end: at + 2 };
  NUMERIC_ESCAPE.lastIndex = at + 1;
  const numeric = NUMERIC_ESCAPE.exec(source);
  if (numeric !== null) {
    const [all, x, u, U, octal] = numeric;
    const end = at + 1 + all.length;
    const code = octal === undefined ? Number.parseInt((x ?? u ?? U)!, 16) : Number.parseInt(octal, 8);
    const isByte = u === undefined && U === undefined;
    if (isBytes && isByte) return { part: code, end };
    if (!isBytes && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) {
      return { part: String.fromCodePoint(code), end };
    }
  }
  throw new ExpressionError({
    kind: "syntax",
    message: `\\${source.charAt(at + 1)} is not an escape`,
    offset: at,
    length: 2,
    hint: "a backslash is written \\\\, or use a raw text: r'...'",
  });
}

function unterminated(offset: number, at: number, quotes: string): ExpressionError {
  return new ExpressionError({
    kind: "syntax",
    message: "the text that begins here has no end",
    offset,
    length: Math.max(at - offset, 1),
    hint: `close it with ${quotes}`,
  });
}
