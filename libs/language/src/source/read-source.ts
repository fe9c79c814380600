import { Composer, Lexer, LineCounter, Parser } from "yaml";
import type { Document, ParsedNode } from "yaml";
import { MAX_DEPTH, MAX_SOURCE_BYTES, MAX_TOKENS } from "../limits.ts";
import type { Report } from "../report.ts";
import { convertDocument } from "./convert.ts";
import type { SourceNode } from "./source-node.ts";

type Token = Parameters<Composer["next"]>[0];

/**
 * Reads YAML 1.2, of which JSON is a part. Everything is bounded before it is built: the composer recurses and must
 * never see a depth that it could not stand, because a full stack is not an error but the end of the process.
 * @returns undefined when there is nothing that could be looked at; then at least one error is reported.
 */
export function readSource(text: string, report: Report): SourceNode | undefined {
  const lines = new LineCounter();
  const tokens = readTokens(text, lines, report);
  if (tokens === undefined) return undefined;
  // Duplicate keys are found in `convert`: the composer's own check takes the square of their number.
  const options = {
    uniqueKeys: false,
    prettyErrors: false,
    keepSourceTokens: false,
    merge: false,
    strict: true,
  } as const;
  const documents: Document.Parsed<ParsedNode>[] = [];
  for (const document of new Composer(options).compose(tokens, true, text.length)) documents.push(document);
  const [document, second] = documents;
  if (second !== undefined) {
    const [start] = second.contents?.range ?? second.range;
    report.add(
      "multiple-documents",
      { start, end: start + 1 },
      "the file has more than one YAML document",
      "one file is one definition: remove `---` and what follows",
    );
  }
  if (document === undefined) return undefined;
  if (document.errors.length > 0) {
    // Several errors at one place are one mistake, told once.
    const places = new Set<number>();
    for (const error of document.errors) {
      if (!places.has(error.pos[0])) reportSyntax(report, error, text);
      places.add(error.pos[0]);
    }
    return undefined;
  }
  return convertDocument(document, report);
}

/** Depth of the parser's own stack for one level of ours: a map within a list within a document. */
const STACK_PER_DEPTH = 2;

function readTokens(text: string, lines: LineCounter, report: Report): Token[] | undefined {
  const parser = new Parser(lines.addNewLine);
  const tokens: Token[] = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const start = parser.offset;
    for (const token of parser.next(lexeme)) tokens.push(token);
    count += 1;
    if (parser.stack.length > STACK_PER_DEPTH * MAX_DEPTH + 10) {
      report.add(
        "too-deep",
        { start, end: start + 1 },
        `the definition is nested more than ${MAX_DEPTH} deep`,
        "flatten it: a workflow needs about ten levels",
      );
      return undefined;
    }
    if (count > MAX_TOKENS) {
      report.add(
        "too-large",
        { start, end: start + 1 },
        `the definition has more than ${MAX_TOKENS} tokens`,
        "split it into sub-workflows",
      );
      return undefined;
    }
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

function reportSyntax(
  report: Report,
  error: { code: string; message: string; pos: [number, number] },
  text: string,
): void {
  const [start, end] = error.pos;
  const at = { start: Math.min(start, text.length), end: Math.max(Math.min(end, text.length), start + 1) };
  const hint = SYNTAX_HINTS.get(error.code) ?? "check quotes, indentation and brackets around this place";
  report.add("syntax", at, lowerFirst(error.message), hint);
}

const SYNTAX_HINTS = new Map([
  ["TAB_AS_INDENT", "indent with spaces: YAML does not allow tabs there"],
  ["BAD_INDENT", "align this line with its neighbours"],
  ["MULTILINE_IMPLICIT_KEY", "a key stands on one line; is a quote or bracket open before it?"],
  ["MISSING_CHAR", "a quote, comma or bracket is missing"],
  ["BLOCK_AS_IMPLICIT_KEY", "a value with `: ` in it needs quotes"],
  ["UNEXPECTED_TOKEN", "a value that begins with a special character needs quotes"],
  ["BAD_ALIAS", "a text that begins with * needs quotes"],
  ["BAD_SCALAR_START", "a text that begins with this character needs quotes"],
  ["BAD_DQ_ESCAPE", "in double quotes a backslash is written \\\\; single quotes need none: '\\d'"],
]);

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

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
