import { needBoolean } from "./boolean.ts";
import type { ExpressionError } from "./expression-error.ts";
import { errorAt, spend } from "./frame.ts";
import type { Run } from "./frame.ts";
import { MAX_COMPREHENSION_ITEMS } from "./limits.ts";
import { isForgivable } from "./logic.ts";
import type { Syntax } from "./syntax.ts";
import { describeType, isObject } from "./value.ts";
import type { Value } from "./value.ts";

type Comprehension = Extract<Syntax, { kind: "comprehension" }>;

/** `all`, `exists`, `exists_one`, `map` and `filter`: over the elements of a list, or the names of an object's fields. */
export function compileComprehension(syntax: Comprehension, compile: (part: Syntax) => Run): Run {
  const range = compile(syntax.range);
  const body = compile(syntax.body);
  const filter = syntax.filter === undefined ? undefined : compile(syntax.filter);
  const fold = FOLDS[syntax.macro];
  return (frame) => {
    const items = itemsOf(range(frame), syntax);
    const at = (run: Run, item: Value): Value => {
      spend(frame, 1, syntax);
      frame.locals[syntax.slot] = item;
      return run(frame);
    };
    const test = (run: Run, item: Value): boolean => needBoolean(at(run, item), `${syntax.macro}()`, syntax.body);
    return fold(items, {
      map: (item) => at(body, item),
      test: (item) => test(body, item),
      keep: (item) => filter === undefined || test(filter, item),
    });
  };
}

interface Body {
  map(item: Value): Value;
  test(item: Value): boolean;
  keep(item: Value): boolean;
}

const FOLDS: Record<Comprehension["macro"], (items: Value[], body: Body) => Value> = {
  all: (items, body) => decide(items, body, false),
  exists: (items, body) => decide(items, body, true),
  exists_one: (items, body) => items.filter((item) => body.test(item)).length === 1,
  map: (items, body) => items.filter((item) => body.keep(item)).map((item) => body.map(item)),
  filter: (items, body) => items.filter((item) => body.test(item)),
};

/** As with `&&` and `||`: one element that decides outweighs errors on others. */
function decide(items: Value[], body: Body, deciding: boolean): boolean {
  let failure: ExpressionError | undefined;
  for (const item of items) {
    try {
      if (body.test(item) === deciding) return deciding;
    } catch (error) {
      if (!isForgivable(error)) throw error;
      failure ??= error as ExpressionError;
    }
  }
  if (failure !== undefined) throw failure;
  return !deciding;
}

function itemsOf(value: Value, syntax: Comprehension): Value[] {
  const items = isObject(value) ? Object.keys(value) : value;
  if (!Array.isArray(items)) {
    throw errorAt(
      syntax.range,
      "type",
      `${syntax.macro}() goes through a list or an object, not ${describeType(value)}`,
    );
  }
  if (items.length <= MAX_COMPREHENSION_ITEMS) return items;
  throw errorAt(
    syntax.range,
    "limit",
    `${syntax.macro}() goes through ${items.length} elements; ${MAX_COMPREHENSION_ITEMS} are allowed`,
  );
}
