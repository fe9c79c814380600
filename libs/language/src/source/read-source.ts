import { Lexer, Parser } from "yaml";
import { MAX_DEPTH, MAX_SYNTAX_ERRORS, MAX_TOKENS } from "../limits.ts";
import type { Report } from "../report.ts";
import { composeDocuments } from "./compose.ts";
import type { Token } from "./compose.ts";
import { convertDocument } from "./convert.ts";
import type { SourceNode } from "./source-node.ts";

/**
 * Reads YAML 1.2, of which JSON is a part. Everything is bounded before it is built: the composer recurses and must
 * never see a depth that it could not stand, because a full stack is not an error but the end of the process.
 * @returns undefined when there is nothing that could be looked at; then at least one error is reported.
 */
export function readSource(text: string, report: Report): SourceNode | undefined {
  const tokens = readTokens(text, report);
  if (tokens === undefined) return undefined;
  const { documents, errors } = composeDocuments(tokens, text.length);
  if (errors.length > 0) {
    // Several errors at one place are one mistake, told once.
    const places = new Set<number>();
    for (const error of errors) {
      if (!places.has(error.pos[0])) reportSyntax(report, error, text);
      places.add(error.pos[0]);
    }
    return undefined;
  }
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
  if (document === undefined) {
    const hint = "remove lines that begin with % and tags that begin with !";
    report.add("syntax", { start: 0, end: 1 }, "the file cannot be read as YAML", hint);
    return undefined;
  }
  return convertDocument(document, report);
}

/** Depth of the parser's own stack for one level of ours: a map within a list within a document. */
const STACK_PER_DEPTH = 2;

function readTokens(text: string, report: Report): Token[] | undefined {
  const parser = new Parser();
  const tokens: Token[] = [];
  let count = 0;
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const start = parser.offset;
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "error") errors += 1;
    }
    if (errors > MAX_SYNTAX_ERRORS) return tokens;
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
