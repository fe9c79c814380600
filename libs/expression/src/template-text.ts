import { ExpressionError } from "./expression-error.ts";

/** `offset`: where the expression's source begins in the text. */
export type TextPiece = { kind: "text"; text: string } | { kind: "expression"; source: string; offset: number };

/** What matters inside an expression to find its end: texts (whose braces do not count), comments and braces. */
const INSIDE = /("""|'''|"|')|\/\/[^\n]*|[{}]/g;

/** Splits a text at its `${...}`. @throws ExpressionError when one has no end. */
export function scanText(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let literal = "";
  let at = 0;
  for (;;) {
    const start = text.indexOf("${", at);
    if (start === -1) break;
    if (start > at && text[start - 1] === "$") {
      literal += `${text.slice(at, start - 1)}\${`;
      at = start + 2;
      continue;
    }
    literal += text.slice(at, start);
    if (literal !== "") pieces.push({ kind: "text", text: literal });
    literal = "";
    const end = findEnd(text, start);
    pieces.push({ kind: "expression", source: text.slice(start + 2, end), offset: start + 2 });
    at = end + 1;
  }
  literal += text.slice(at);
  if (literal !== "" || pieces.length === 0) pieces.push({ kind: "text", text: literal });
  return pieces;
}

/** The offset of the `}` that belongs to the `${` at `start`. */
function findEnd(text: string, start: number): number {
  INSIDE.lastIndex = start + 2;
  let depth = 1;
  for (let found = INSIDE.exec(text); found !== null; found = INSIDE.exec(text)) {
    const quotes = found[1];
    if (quotes !== undefined) INSIDE.lastIndex = endOfString(text, found.index + found[0].length, quotes);
    else if (found[0] === "{") depth += 1;
    else if (found[0] === "}") {
      depth -= 1;
      if (depth === 0) return found.index;
    }
  }
  throw new ExpressionError({
    kind: "syntax",
    message: "the expression that begins here has no closing `}`",
    offset: start,
    length: Math.max(Math.min(text.length - start, 80), 1),
    hint: "write ${...}; a literal ${ is written $${",
  });
}

/** After the closing quotes, or at the end of the text when there are none: then the `}` is missing too, and that is reported. */
function endOfString(text: string, from: number, quotes: string): number {
  for (let at = from; at < text.length; at += 1) {
    // Also in a raw text a backslash keeps a quote from ending it.
    if (text[at] === "\\") at += 1;
    else if (text.startsWith(quotes, at)) return at + quotes.length;
  }
  return text.length;
}
