import type { Json, MapNode } from "@heddle/engine";
import type { ItemBodyDraft, NodeBody } from "../draft.ts";
import { createFields } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { checkId } from "../ids.ts";
import { DEFAULT_MAX_CONCURRENCY, MAX_CONCURRENCY, MAX_ID_LENGTH, MAX_MAP_ITEMS } from "../limits.ts";
import { describeSource } from "../source/source-node.ts";
import { readItemName } from "./body.ts";
import { isText, readCondition, readTemplate } from "./reader.ts";
import type { NodeReader } from "./reader.ts";
import { readClosePolicy } from "./sub-workflow.ts";

export const MAP_FIELDS = [
  "subtype",
  "for_each",
  "range",
  "as",
  "workflow_id",
  "version",
  "inputs",
  "nodes",
  "output",
  "max_concurrency",
  "tolerate",
  "until",
  "collect",
  "on_parent_close",
] as const;

/** Reads a body whose nodes are apart from those around it. */
export type ReadItemBody = (reader: NodeReader) => ItemBodyDraft;

export function readMap(reader: NodeReader, readItemBody: ReadItemBody): NodeBody {
  const { fields } = reader;
  const isInPlace = fields.map.entries.has("nodes");
  rejectUseless(fields, isInPlace);
  const workflowAt = isInPlace
    ? undefined
    : fields.require("workflow_id", "the id of the workflow that runs for each item; or nodes: the steps themselves");
  const workflowId = fields.text("workflow_id", MAX_ID_LENGTH) ?? "";
  if (workflowAt !== undefined && workflowId !== "") {
    checkId(workflowId, workflowAt, "the id of a workflow", fields.report);
  }
  const version = fields.integer("version", { min: 1, max: 2_147_483_647 });
  const itemName = readItemName(reader);
  const names = [itemName ?? "item", "index"];
  const inputs =
    fields.find("inputs") === undefined ? undefined : readTemplate({ ...reader, marks: { names } }, "inputs");
  const tolerated = readTolerated(fields);
  const collect = fields.boolean("collect");
  const untilAt = fields.find("until");
  const until =
    untilAt === undefined
      ? undefined
      : readCondition({ ...reader, marks: { names: ["items"] } }, untilAt, `"until" of ${fields.what}`);
  return {
    kind: "map",
    items: readItems(reader),
    workflowId,
    maxConcurrency: fields.integer("max_concurrency", { min: 1, max: MAX_CONCURRENCY }) ?? DEFAULT_MAX_CONCURRENCY,
    ...(workflowAt === undefined ? {} : { workflowAt }),
    ...(version === undefined ? {} : { version }),
    ...(itemName === undefined ? {} : { itemName }),
    ...(inputs === undefined ? {} : { inputs: inputs.value }),
    ...(tolerated === undefined ? {} : { tolerated }),
    ...(collect === false ? { collect } : {}),
    ...(until === undefined ? {} : { until }),
    ...(isInPlace ? { itemBody: readItemBody(reader) } : {}),
    ...readClosePolicy(fields, false),
  };
}

/** Fields that say which workflow runs, beside the workflow itself; and those of a body that is not there. */
function rejectUseless({ map, report, what }: Fields, isInPlace: boolean): void {
  for (const name of isInPlace ? ["workflow_id", "version", "inputs"] : ["output"]) {
    const at = map.entries.get(name)?.key;
    if (at === undefined) continue;
    const [message, hint] = isInPlace
      ? [
          `${what} has both "nodes" and "${name}"`,
          "remove one of them: nodes see the item and all that is around the map",
        ]
      : [`"${name}" of ${what} says what its nodes give, and it has none`, "remove it, or write nodes"];
    report.add("useless-map-field", at, message, hint);
  }
}

/** `for_each`, or `range: { from, to }`. */
function readItems(reader: NodeReader): MapNode["items"] {
  const { fields } = reader;
  const rangeAt = fields.find("range");
  if (rangeAt === undefined) {
    fields.require("for_each", 'the list, e.g. for_each: "${input.orders}"; or range: { from: 1, to: 100 }');
    return readTemplate(reader, "for_each")?.value ?? [];
  }
  if (fields.find("for_each") !== undefined) {
    const message = `${fields.what} has both "for_each" and "range"`;
    fields.report.add("conflicting-fields", rangeAt, message, "keep one of them");
  }
  const map = fields.object("range");
  if (map === undefined) return [];
  const range = createFields(map, `"range" of ${fields.what}`, ["from", "to"], fields.report);
  range.require("from", "the first number");
  range.require("to", "the last number");
  const read = (name: string): Json => readTemplate({ ...reader, fields: range }, name)?.value ?? 0;
  return { range: { from: read("from"), to: read("to") } };
}

/** How many items may fail: a number, or a part of all like `10%`. */
function readTolerated(fields: Fields): MapNode["tolerated"] {
  const at = fields.find("tolerate");
  if (at === undefined) return undefined;
  if (isText(at)) {
    const [, digits] = /^(\d{1,3})%$/.exec(at.value.trim()) ?? [];
    const percent = Number(digits);
    if (digits !== undefined && percent <= 100) return { percent };
  } else if (at.kind === "scalar" && typeof at.value === "number") {
    const count = fields.integer("tolerate", { min: 0, max: MAX_MAP_ITEMS });
    return count === undefined ? undefined : { count };
  }
  const message = `"tolerate" of ${fields.what} is ${describeSource(at)}, where a number of items or a part of them is expected`;
  fields.report.add("wrong-type", at, message, 'e.g. tolerate: 3, or tolerate: "10%"');
  return undefined;
}
