import { Composer } from "yaml";
import type { Document, ParsedNode, YAMLParseError } from "yaml";
import { MAX_SYNTAX_ERRORS } from "../limits.ts";

export type Token = Parameters<Composer["next"]>[0];
type YamlDocument = Document.Parsed<ParsedNode>;

/**
 * Builds the documents, at most two. Stops at the first that has errors, and after `MAX_SYNTAX_ERRORS` of them; without
 * any document then there may be no error either.
 */
export function composeDocuments(
  tokens: Token[],
  length: number,
): { documents: YamlDocument[]; errors: readonly YAMLParseError[] } {
  // Duplicate keys are found in `convert`: the composer's own check takes the square of their number.
  const options = { uniqueKeys: false, prettyErrors: false, keepSourceTokens: false, merge: false, strict: true };
  const composer = new Composer(options);
  const seen = limitErrors(composer);
  const documents: YamlDocument[] = [];
  try {
    for (const document of composer.compose(tokens, true, length)) {
      documents.push(document);
      if (document.errors.length > 0) return { documents, errors: document.errors };
      if (documents.length === 2) break;
    }
  } catch (error) {
    if (!(error instanceof TooManyErrors)) throw error;
    return { documents, errors: seen() };
  }
  return { documents, errors: [] };
}

/** Warnings about tags and directives are not shown, yet each takes time too. */
const MAX_WARNINGS = 10_000;

class TooManyErrors extends Error {}

/**
 * The composer goes on after errors, and each is an object with a stack: a megabyte of quotes would take seconds. Its
 * handler is no part of its interface; where it is missing, errors are collected without this limit.
 */
function limitErrors(composer: Composer): () => YAMLParseError[] {
  const handler: unknown = Reflect.get(composer, "onError");
  const listErrors = (): YAMLParseError[] => (Reflect.get(composer, "errors") ?? []) as YAMLParseError[];
  if (typeof handler === "function") {
    let warnings = 0;
    Reflect.set(composer, "onError", (source: unknown, code: unknown, message: unknown, isWarning: unknown) => {
      Reflect.apply(handler, composer, [source, code, message, isWarning]);
      if (isWarning === true) warnings += 1;
      if (warnings > MAX_WARNINGS || listErrors().length > MAX_SYNTAX_ERRORS) {
        throw new TooManyErrors("more errors than anybody reads");
      }
    });
  }
  return listErrors;
}
