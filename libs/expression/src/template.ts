import { ExpressionError } from "./expression-error.ts";
import { compileExpression } from "./expression.ts";
import type { Json, JsonObject } from "./json.ts";
import { MAX_STRING_LENGTH, MAX_VALUE_DEPTH } from "./limits.ts";
import { scanText } from "./template-text.ts";
import type { CompileOptions, Expression, Reference, Scope, Template } from "./types.ts";

type Evaluate = (scope: Scope) => Json;
/** A compiled part; `undefined` instead of an `Evaluate` says that the part is constant. */
interface Part {
  constant: Json;
  evaluate?: Evaluate;
}

/**
 * Compiles JSON in whose texts `${...}` stands. A text that is one expression and nothing else takes the type of its
 * value; in other texts the values are written out. `$${` is a literal `${`. Names of fields are not evaluated.
 * @throws ExpressionError; its offset is inside the text that holds the fault.
 */
export function compileTemplate(value: Json, options: CompileOptions = {}): Template {
  const references: Reference[] = [];
  const part = compilePart(value, options, references, 0);
  const { constant } = part;
  return { references, isConstant: part.evaluate === undefined, evaluate: part.evaluate ?? (() => constant) };
}

function compilePart(value: Json, options: CompileOptions, references: Reference[], depth: number): Part {
  if (typeof value === "string") return compileText(value, options, references);
  if (typeof value !== "object" || value === null) return { constant: value };
  if (depth >= MAX_VALUE_DEPTH) {
    throw new ExpressionError({
      kind: "limit",
      message: `the template is nested more than ${MAX_VALUE_DEPTH} deep`,
      offset: 0,
    });
  }
  const compile = (inner: Json): Part => compilePart(inner, options, references, depth + 1);
  return Array.isArray(value)
    ? compileList(value.map(compile))
    : compileObject(Object.entries(value).map(([key, field]) => [key, compile(field)]));
}

function compileList(parts: Part[]): Part {
  const constant = parts.map((part) => part.constant);
  if (parts.every((part) => part.evaluate === undefined)) return { constant };
  return {
    constant,
    evaluate: (scope) => parts.map((part) => (part.evaluate === undefined ? part.constant : part.evaluate(scope))),
  };
}

function compileObject(fields: [string, Part][]): Part {
  const constant: JsonObject = Object.fromEntries(fields.map(([key, part]) => [key, part.constant]));
  const evaluated = fields.filter(([, part]) => part.evaluate !== undefined) as [string, Required<Part>][];
  if (evaluated.length === 0) return { constant };
  // Spreading copies a field that is called `__proto__` like any other, assigning to it would not: refused in `isSafe`.
  const isSafe = evaluated.every(([key]) => key !== "__proto__");
  return {
    constant,
    evaluate: (scope) => {
      if (!isSafe)
        return Object.fromEntries(fields.map(([key, part]) => [key, part.evaluate?.(scope) ?? part.constant]));
      const object = { ...constant };
      for (const [key, part] of evaluated) object[key] = part.evaluate(scope);
      return object;
    },
  };
}

function compileText(text: string, options: CompileOptions, references: Reference[]): Part {
  const pieces = scanText(text);
  const compiled = pieces.map((piece): string | Expression => {
    if (piece.kind === "text") return piece.text;
    return compileAt(piece.source, piece.offset, options, references);
  });
  const [only] = compiled;
  if (compiled.length === 1 && typeof only === "object") return { constant: null, evaluate: only.evaluate };
  if (compiled.every((piece) => typeof piece === "string")) return { constant: compiled.join("") };
  return { constant: null, evaluate: (scope) => joinText(compiled, scope) };
}

/** Offsets of references and errors are counted from the start of the text, not of the expression. */
function compileAt(source: string, offset: number, options: CompileOptions, references: Reference[]): Expression {
  const expression = shiftErrors(offset, () => compileExpression(source, options));
  for (const reference of expression.references) references.push({ ...reference, offset: reference.offset + offset });
  return { ...expression, evaluate: (scope) => shiftErrors(offset, () => expression.evaluate(scope)) };
}

function shiftErrors<T>(offset: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const { kind, message, length, hint } = error;
    throw Object.assign(new ExpressionError({ kind, message, offset: error.offset + offset, length, hint }), {
      cause: error,
    });
  }
}

function joinText(pieces: (string | Expression)[], scope: Scope): string {
  let text = "";
  for (const piece of pieces) {
    text += typeof piece === "string" ? piece : writeValue(piece.evaluate(scope));
    if (text.length > MAX_STRING_LENGTH) {
      throw new ExpressionError({
        kind: "limit",
        message: `the text is longer than ${MAX_STRING_LENGTH} characters`,
        offset: 0,
      });
    }
  }
  return text;
}

/** Texts as they are, null as nothing, numbers and booleans plain, lists and objects as JSON. */
function writeValue(value: Json): string {
  if (typeof value === "string") return value;
  if (value === null) return "";
  try {
    return JSON.stringify(value);
  } catch (cause) {
    const message = "the value is nested too deeply to be written as JSON";
    throw Object.assign(new ExpressionError({ kind: "limit", message, offset: 0 }), { cause });
  }
}
