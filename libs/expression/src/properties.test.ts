import { celEnv, isCelError, parse, plan } from "@bufbuild/cel";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExpressionError, compileExpression, compileTemplate } from "./index.ts";
import type { Json, Scope } from "./index.ts";

const environment = celEnv();
const name = fc.constantFrom("a", "b", "c");
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom("", "x", "yz"),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

function ours(source: string, data: Record<string, Json>): { result: Json } | "error" {
  const scope: Scope = { get: (key) => data[key] };
  try {
    return { result: compileExpression(source).evaluate(scope) };
  } catch (error) {
    if (error instanceof ExpressionError) return "error";
    throw error;
  }
}

/** The library as the oracle. */
function theirs(source: string, data: Record<string, Json>): { result: unknown } | "error" {
  const result = plan(environment, parse(source))(data);
  return isCelError(result) ? "error" : { result };
}

/** Lists and maps of the library are compared through `==`, evaluated by the library itself. */
function agree(source: string, data: Record<string, Json>): boolean {
  const mine = ours(source, data);
  const other = theirs(source, data);
  if (mine === "error" || other === "error") return mine === other;
  if (mine.result === null || typeof mine.result !== "object") {
    return typeof other.result === "bigint" ? Number(other.result) === mine.result : other.result === mine.result;
  }
  const same = theirs("(mine) == (theirs)", { mine: mine.result, theirs: other.result as Json });
  return same !== "error" && same.result === true;
}

describe("the same as the CEL library", () => {
  const step = fc.oneof(
    name.map((field) => `.${field}`),
    name.map((field) => `["${field}"]`),
    fc.integer({ min: -1, max: 3 }).map((index) => `[${index}]`),
  );

  test("paths", () => {
    const paths = fc.array(step, { maxLength: 5 }).map((steps) => `input${steps.join("")}`);
    fc.assert(
      fc.property(value, paths, (input, source) => agree(source, { input })),
      { numRuns: 3_000 },
    );
  });

  test("null, lists and objects are no names of fields", () => {
    for (const source of ["null in {'k': 1}", "[1] in {'k': 1}", "{'k': 1} in {'k': 1}"]) {
      expect([ours(source, {}), theirs(source, {})], source).toEqual(["error", "error"]);
    }
  });

  test("operators", () => {
    const leaf = fc.oneof(
      fc.constantFrom("a", "b", "c", "true", "false", "null", "'x'", "[a, b]", "{'k': c}"),
      fc.integer({ min: 0, max: 4 }).map(String),
      fc.constantFrom("0.5", "2.0"),
    );
    const { source } = fc.letrec<{ source: string }>((tie) => ({
      source: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc
          .tuple(tie("source"), fc.constantFrom("==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"), tie("source"))
          .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
        fc
          .tuple(tie("source"), tie("source"), tie("source"))
          .map(([test, left, right]) => `(${test} ? ${left} : ${right})`),
        // Not of `!` itself: the library drops every `!!`, also before what is no boolean.
        tie("source").map((inner) => `!(${inner} == a)`),
        fc
          .tuple(leaf, fc.constantFrom("all", "exists", "exists_one", "filter"))
          .map(([inner, macro]) => `[a, b, 1].${macro}(v, v == ${inner})`),
      ),
    }));
    fc.assert(
      fc.property(fc.tuple(scalar, scalar, scalar), source, ([a, b, c], text) => agree(text, { a, b, c })),
      { numRuns: 3_000 },
    );
  });

  test("arithmetic of ints", () => {
    const { source } = fc.letrec<{ source: string }>((tie) => ({
      source: fc.oneof(
        { maxDepth: 4 },
        fc.integer({ min: 0, max: 9 }).map(String),
        fc
          .tuple(tie("source"), fc.constantFrom("+", "-", "*", "/", "%"), tie("source"))
          .map((parts) => `(${parts.join(" ")})`),
      ),
    }));
    fc.assert(
      fc.property(source, (text) => agree(text, {})),
      { numRuns: 2_000 },
    );
  });
});

describe("whatever comes in", () => {
  const fragments = fc.constantFrom(
    ...Array.from("abc ()[]{}.,?:'\"`$\\-+*/%!<>=&|0179eu_\n\u0000é🐱"),
    "??",
    "input",
    "has(",
    ".map(x, ",
    "r'",
    '"""',
    "//",
    "in",
    "my-node",
    "1e999",
    "\\u12",
  );
  const text = fc.array(fragments, { maxLength: 60 }).map((parts) => parts.join(""));
  const scope: Scope = { get: (key) => (key === "input" ? { a: 1, b: ["x"], c: {} } : undefined) };

  test("an expression gives JSON or an ExpressionError inside of its source", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: "binary", maxLength: 80 })), (source) => {
        try {
          const result = compileExpression(source, { nodeIds: new Set(["my-node", "a-b"]) }).evaluate(scope);
          expect(JSON.parse(JSON.stringify(result))).toEqual(JSON.parse(JSON.stringify(result)));
        } catch (error) {
          if (!(error instanceof ExpressionError)) throw error;
          expect(error.offset).toBeGreaterThanOrEqual(0);
          expect(error.offset).toBeLessThanOrEqual(source.length);
          expect(error.length).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test("a template of plain text is that text, and escaping hides every expression", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (source) => {
        const escaped = source.replaceAll("$", "").replaceAll("{", () => "$${");
        expect(compileTemplate(escaped).evaluate(scope)).toBe(escaped.replaceAll("$${", () => "${"));
      }),
    );
  });

  test("a template never throws anything but ExpressionError", () => {
    fc.assert(
      fc.property(text, (source) => {
        try {
          compileTemplate(`\${${source}`).evaluate(scope);
        } catch (error) {
          if (!(error instanceof ExpressionError)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
