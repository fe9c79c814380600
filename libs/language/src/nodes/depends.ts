import type { Outcome } from "@heddle/engine";
import type { DependsDraft } from "../draft.ts";
import type { Fields } from "../fields.ts";
import { MAX_DEPENDS_LENGTH } from "../limits.ts";
import type { SourceScalar, Span } from "../source/source-node.ts";

const OUTCOMES = [
  "succeeded",
  "failed",
  "skipped",
  "canceled",
  "settled",
  "any_succeeded",
  "all_failed",
] as const satisfies readonly Outcome[];
const HINT = "e.g. depends: (a.succeeded || b.skipped) && !c.failed";
/** Parentheses and negations inside one another. */
const MAX_NESTING = 50;

type Locate = (offset: number, length: number) => Span;

interface Token {
  text: string;
  offset: number;
}

/** Thrown where the text cannot be read on, caught where it began. */
class DependsFault extends Error {
  readonly token: Token;

  constructor(message: string, token: Token) {
    super(message);
    this.token = token;
  }
}

/** `a`, `a.failed`, `!`, `&&`, `||` and parentheses; an id alone means that it has succeeded. */
export function readDepends(
  fields: Fields,
  createLocator: (scalar: SourceScalar) => Locate,
): { depends: DependsDraft; at: SourceScalar } | undefined {
  const text = fields.text("depends", MAX_DEPENDS_LENGTH);
  const at = fields.find("depends");
  if (text === undefined || at?.kind !== "scalar") return undefined;
  const locate = createLocator(at);
  try {
    return { depends: parse(tokenize(text), locate, text.length), at };
  } catch (error) {
    if (!(error instanceof DependsFault)) throw error;
    const { text: shown, offset } = error.token;
    fields.report.add(
      "bad-depends",
      locate(offset, Math.max(1, shown.length)),
      `"depends" of ${fields.what}: ${error.message}`,
      HINT,
    );
    return undefined;
  }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s*(\|\||&&|!|\(|\)|\.|[A-Za-z_][A-Za-z0-9_-]*|[^\s])/gy;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [whole, token] = match as unknown as [string, string];
    tokens.push({ text: token, offset: match.index + whole.length - token.length });
  }
  return tokens;
}

function parse(tokens: Token[], locate: Locate, end: number): DependsDraft {
  let at = 0;
  let nesting = 0;
  const peek = (): Token => tokens[at] ?? { text: "", offset: end };
  const take = (text: string): boolean => {
    if (peek().text !== text || at >= tokens.length) return false;
    at += 1;
    return true;
  };
  const parseAny = (): DependsDraft => {
    const parts = [parseAll()];
    while (take("||")) parts.push(parseAll());
    return parts.length === 1 ? parts[0]! : { any: parts };
  };
  const parseAll = (): DependsDraft => {
    const parts = [parseOne()];
    while (take("&&")) parts.push(parseOne());
    return parts.length === 1 ? parts[0]! : { all: parts };
  };
  const nested = (read: () => DependsDraft): DependsDraft => {
    nesting += 1;
    if (nesting > MAX_NESTING) throw new DependsFault(`it is nested more than ${MAX_NESTING} deep`, peek());
    const inner = read();
    nesting -= 1;
    return inner;
  };
  const parseOne = (): DependsDraft => {
    if (take("!")) return { not: nested(parseOne) };
    if (take("(")) {
      const inner = nested(parseAny);
      if (!take(")")) throw new DependsFault("a parenthesis is not closed", peek());
      return inner;
    }
    const token = peek();
    if (!/^[A-Za-z_]/.test(token.text)) {
      const found = token.text === "" ? "it ends" : `there is \`${token.text}\``;
      throw new DependsFault(`${found} where the id of a node is expected`, token);
    }
    at += 1;
    const ref = { id: token.text, at: locate(token.offset, token.text.length) };
    if (!take(".")) return { ref, outcome: "succeeded" };
    const name = peek();
    const outcome = OUTCOMES.find((candidate) => candidate === name.text);
    if (outcome === undefined) {
      throw new DependsFault(`\`${name.text}\` is no outcome; there is ${OUTCOMES.join(", ")}`, name);
    }
    at += 1;
    return { ref, outcome };
  };
  const condition = parseAny();
  if (at < tokens.length) throw new DependsFault(`\`${peek().text}\` is one too many`, peek());
  return condition;
}
