import { BUILT_IN_QUERIES } from "@heddle/engine";
import type { JsonObject } from "@heddle/engine";
import type { ExpressionUse, InteractionsDraft, QueryDraft, UpdateDraft } from "../draft.ts";
import { createFields, jsonObjectOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { checkId } from "../ids.ts";
import { MAX_ID_LENGTH, MAX_INTERACTIONS } from "../limits.ts";
import { isText, readCondition, readTemplate, rejectExpression } from "../nodes/reader.ts";
import type { NodeReader } from "../nodes/reader.ts";
import { checkSchema } from "../schema.ts";
import { describeSource } from "../source/source-node.ts";
import { toJson } from "../source/to-json.ts";

const UPDATE_FIELDS = [
  "name",
  "description",
  "input",
  "input_schema",
  "when",
  "otherwise",
  "set",
  "signal",
  "key",
  "after",
  "reply",
] as const;
const QUERY_FIELDS = ["name", "description", "input", "input_schema", "output"] as const;

interface Kind<Draft> {
  list: "updates" | "queries";
  what: "update" | "query";
  one: "an update" | "a query";
  fields: readonly string[];
  example: string;
  read(reader: NodeReader, name: string): Draft | undefined;
}

const UPDATES: Kind<UpdateDraft> = {
  list: "updates",
  what: "update",
  one: "an update",
  fields: UPDATE_FIELDS,
  example: 'e.g. - { name: set-limit, set: { limit: "${update.payload}" } }',
  read: readUpdate,
};

const QUERIES: Kind<QueryDraft> = {
  list: "queries",
  what: "query",
  one: "a query",
  fields: QUERY_FIELDS,
  example: 'e.g. - { name: progress, output: "${vars.progress}" }',
  read: readQuery,
};

/** `updates` and `queries` of a workflow. */
export function readInteractions(fields: Fields, uses: ExpressionUse[]): InteractionsDraft {
  return { updates: readList(fields, uses, UPDATES), queries: readList(fields, uses, QUERIES) };
}

function readList<Draft>({ list, report }: Fields, uses: ExpressionUse[], kind: Kind<Draft>): Draft[] {
  const items = list(kind.list)?.items ?? [];
  if (items.length > MAX_INTERACTIONS) {
    const message = `the workflow has ${items.length} ${kind.list}`;
    report.add("out-of-range", items[MAX_INTERACTIONS]!, message, `at most ${MAX_INTERACTIONS}`);
  }
  const names = new Set<string>();
  return items.slice(0, MAX_INTERACTIONS).flatMap((item) => {
    if (item.kind !== "map") {
      const message = `an entry of "${kind.list}" is ${describeSource(item)} where an object is expected`;
      report.add("wrong-type", item, message, kind.example);
      return [];
    }
    const nameNode = item.entries.get("name")?.value;
    const isNamed = nameNode !== undefined && isText(nameNode) && nameNode.value.length <= MAX_ID_LENGTH;
    const what = isNamed ? `the ${kind.what} "${nameNode.value}"` : kind.one;
    const fields = createFields(item, what, kind.fields, report);
    const at = fields.require("name", kind.example);
    const name = fields.text("name", MAX_ID_LENGTH);
    const draft = kind.read({ fields, uses, marks: { names: [kind.what] } }, name ?? "");
    if (at === undefined || name === undefined || !checkId(name, at, `the name of ${kind.one}`, report)) return [];
    if (names.has(name)) report.add("duplicate-id", at, `there are two ${kind.list} "${name}"`, "rename one of them");
    names.add(name);
    return draft ?? [];
  });
}

function readUpdate(reader: NodeReader, name: string): UpdateDraft {
  const { fields } = reader;
  const inputSchema = readSchema(fields);
  const whenAt = fields.find("when");
  const when = whenAt === undefined ? undefined : readCondition(reader, whenAt, `"when" of ${fields.what}`);
  const otherwise = readTemplate(reader, "otherwise");
  const setAt = fields.object("set");
  if (setAt !== undefined) readTemplate(reader, "set");
  rejectExpression(fields, "signal", 'write it out; what tells one wait from another is its "key"');
  const signal = fields.text("signal", MAX_ID_LENGTH);
  const key = readTemplate(reader, "key");
  const afterAt = fields.find("after");
  const after = fields.text("after", MAX_ID_LENGTH);
  const reply = readTemplate(reader, "reply");
  checkUse(fields);
  return {
    name,
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(when === undefined ? {} : { when }),
    ...(otherwise === undefined ? {} : { otherwise: otherwise.value }),
    ...(setAt === undefined ? {} : { set: toJson(setAt) as JsonObject }),
    ...(signal === undefined ? {} : { signal }),
    ...(key === undefined ? {} : { key: key.value }),
    ...(after === undefined || afterAt === undefined || !isText(afterAt) ? {} : { after: { id: after, at: afterAt } }),
    ...(reply === undefined ? {} : { reply: reply.value }),
  };
}

function readQuery(reader: NodeReader, name: string): QueryDraft | undefined {
  const { fields } = reader;
  const inputSchema = readSchema(fields);
  const output = readTemplate(reader, "output");
  if (output === undefined) fields.require("output", 'what it answers, e.g. output: { done: "${vars.done}" }');
  const at = fields.find("name");
  if (at !== undefined && (BUILT_IN_QUERIES as readonly string[]).includes(name)) {
    const message = `every execution answers the query "${name}" already`;
    fields.report.add("taken-query", at, message, `use another name, e.g. my-${name}`);
  }
  if (output === undefined) return undefined;
  return { name, ...(inputSchema === undefined ? {} : { inputSchema }), output: output.value };
}

/** Fields that have no effect without another one. */
function checkUse(fields: Fields): void {
  const useless = (name: string, needed: string, message: string) => {
    const at = fields.find(name);
    if (at !== undefined && fields.find(needed) === undefined)
      fields.report.add("useless-update-field", at, message, `add "${needed}", or remove "${name}"`);
  };
  useless("otherwise", "when", '"otherwise" says why the condition does not hold, and there is none');
  useless("key", "signal", '"key" is a signal\'s, and there is none');
}

/** `input: { schema }` or `input_schema`. */
function readSchema(fields: Fields): JsonObject | undefined {
  const input = fields.object("input");
  const what = `"input" of ${fields.what}`;
  const inner = input === undefined ? undefined : createFields(input, what, ["schema"], fields.report).object("schema");
  const outer = fields.object("input_schema");
  if (inner !== undefined && outer !== undefined) {
    const message = `${fields.what} has both "input" and "input_schema"`;
    fields.report.add("conflicting-fields", outer, message, "keep one of them");
  }
  const map = inner ?? outer;
  if (map === undefined || !checkSchema(map, `the schema of ${fields.what}`, fields.report)) return undefined;
  return jsonObjectOf(map);
}
