import { compileExpression, ExpressionError, type Expression } from "@heddle/expression";
import { TaskError, type HandlerDefinition, type Json, type JsonObject } from "@heddle/sdk";
import { TRANSFORM_ITEMS_MAX } from "../limits.ts";

/** What a definition gives to `transform`. */
interface TransformInput {
  value: Json;
  where?: string;
  map?: Json;
  pick?: string[];
  omit?: string[];
  rename?: Record<string, string>;
  sort_by?: string;
  descending?: boolean;
  limit?: number;
}

const names = { type: "array", items: { type: "string" } };

const INPUT_SCHEMA: JsonObject = {
  type: "object",
  required: ["value"],
  additionalProperties: false,
  properties: {
    value: { description: "The data: a list, whose items are treated one by one, or a single value" },
    where: {
      type: "string",
      description: "Expression over `item` and `index`; items for which it is false are left out",
    },
    map: { description: "What each item becomes: JSON whose texts are expressions over `item` and `index`" },
    pick: { ...names, description: "Fields to keep" },
    omit: { ...names, description: "Fields to leave out" },
    rename: { type: "object", additionalProperties: { type: "string" }, description: "New names by old ones" },
    sort_by: { type: "string", description: "Expression over `item`; numbers by size, texts by code point" },
    descending: { type: "boolean" },
    limit: { type: "integer", minimum: 0 },
  },
};

/**
 * The tool `transform`: filters, reshapes and sorts data, in this order: where, map, pick, omit, rename, sort_by, limit.
 * Its expressions are texts without `${}`, because the definition's own `${}` are evaluated before the tool is called.
 */
export const transformTool: HandlerDefinition = {
  handler: transform,
  inputSchema: INPUT_SCHEMA,
  description: "Filters, reshapes, sorts and cuts a list, or reshapes one value, by expressions over `item`.",
};

type Step = (item: Json, index: number) => Json;

function transform(input: TransformInput): Json {
  const { value, where, sort_by: sortBy, descending = false, limit } = input;
  const reshape = compileShape(input);
  if (!Array.isArray(value)) {
    const listOnly = (["where", "sort_by", "limit"] as const).filter((name) => input[name] !== undefined);
    if (listOnly.length > 0) throw invalid(`${listOnly.join(" and ")} need a list in \`value\``);
    return reshape(value, 0);
  }
  if (value.length > TRANSFORM_ITEMS_MAX)
    throw invalid(`\`value\` has ${value.length} items, at most ${TRANSFORM_ITEMS_MAX} are taken`);
  const keep = where === undefined ? undefined : compile("where", where);
  const kept = value.flatMap((item, index) =>
    keep === undefined || evaluate("where", keep, item, index) === true ? [reshape(item, index)] : [],
  );
  const sorted = sortBy === undefined ? kept : sort(kept, compile("sort_by", sortBy), descending);
  return limit === undefined ? sorted : sorted.slice(0, limit);
}

function compileShape({ map, pick, omit, rename = {} }: TransformInput): Step {
  const mapped: Step = map === undefined ? (item) => item : compileMap("map", map);
  const picked = pick && new Set(pick);
  const omitted = new Set(omit ?? []);
  if (picked === undefined && omitted.size === 0 && Object.keys(rename).length === 0) return mapped;
  const newNames = new Map(Object.entries(rename));
  return (item, index) => {
    const shaped = mapped(item, index);
    if (typeof shaped !== "object" || shaped === null || Array.isArray(shaped)) return shaped;
    return Object.fromEntries(
      Object.entries(shaped)
        .filter(([name]) => (picked === undefined || picked.has(name)) && !omitted.has(name))
        .map(([name, field]) => [newNames.get(name) ?? name, field]),
    );
  };
}

function compileMap(place: string, map: Json): Step {
  if (typeof map === "string") {
    const expression = compile(place, map);
    return (item, index) => evaluate(place, expression, item, index);
  }
  if (typeof map !== "object" || map === null) return () => map;
  if (Array.isArray(map)) {
    const steps = map.map((inner, at) => compileMap(`${place}[${at}]`, inner));
    return (item, index) => steps.map((step) => step(item, index));
  }
  const steps = Object.entries(map).map(([name, inner]) => [name, compileMap(`${place}.${name}`, inner)] as const);
  return (item, index) => Object.fromEntries(steps.map(([name, step]) => [name, step(item, index)]));
}

function sort(items: Json[], by: Expression, descending: boolean): Json[] {
  const keyed = items.map((item, index) => ({ item, key: evaluate("sort_by", by, item, index) }));
  const direction = descending ? -1 : 1;
  return keyed.toSorted((a, b) => direction * compareKeys(a.key, b.key)).map(({ item }) => item);
}

/** Numbers before texts before everything else, which keeps its order. */
function compareKeys(a: Json, b: Json): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : Number(a > b);
  return rank(a) - rank(b);
}

function rank(key: Json): number {
  if (typeof key === "number") return 0;
  return typeof key === "string" ? 1 : 2;
}

function compile(place: string, source: string): Expression {
  try {
    return compileExpression(source);
  } catch (error) {
    throw explain(place, error);
  }
}

function evaluate(place: string, expression: Expression, item: Json, index: number): Json {
  try {
    return expression.evaluate({
      get: (name) => (name === "item" ? item : name === "index" ? index : undefined),
      names: () => ["item", "index"],
    });
  } catch (error) {
    throw explain(`${place} for item ${index}`, error);
  }
}

function explain(place: string, error: unknown): unknown {
  if (!(error instanceof ExpressionError)) return error;
  return new TaskError("expression", `${place}: ${error.message}`, { retryable: false, cause: error });
}

function invalid(message: string): TaskError {
  return new TaskError("input_invalid", message, { retryable: false });
}
