import type { Condition, NodeBody } from "../draft.ts";
import { DEFAULT_MAX_TURNS, MAX_ID_LENGTH, MAX_TURNS } from "../limits.ts";
import { readCondition, readTemplate } from "./reader.ts";
import type { NodeReader } from "./reader.ts";
import { checkItemName } from "../ids.ts";

/** Reads the nodes of a body, and gives their indices. */
export type ReadBody = (reader: NodeReader) => number[];

export const GROUP_FIELDS = ["subtype", "nodes", "output", "timeout"] as const;
export const LOOP_FIELDS = [
  ...GROUP_FIELDS,
  "for_each",
  "as",
  "while",
  "until",
  "max_iterations",
  "carry",
  "next",
  "result",
  "collect",
] as const;

export function readGroup(reader: NodeReader, readBody: ReadBody): NodeBody {
  const output = readTemplate(inBody(reader), "output");
  const timeoutMs = reader.fields.durationMs("timeout");
  return {
    kind: "group",
    body: readBody(reader),
    ...(output && { output: output.value }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

export function readLoop(reader: NodeReader, readBody: ReadBody): NodeBody {
  const { fields } = reader;
  const around = inBody(reader);
  const forEach = readTemplate(reader, "for_each");
  const carry = readTemplate(reader, "carry");
  const next = readTemplate(around, "next");
  const result = readTemplate(around, "result");
  const output = readTemplate(around, "output");
  const itemName = readItemName(reader);
  const conditions = { while: readLoopCondition(around, "while"), until: readLoopCondition(around, "until") };
  const timeoutMs = fields.durationMs("timeout");
  return {
    kind: "loop",
    body: readBody(reader),
    maxTurns: fields.integer("max_iterations", { min: 1, max: MAX_TURNS }) ?? DEFAULT_MAX_TURNS,
    collect: fields.boolean("collect") ?? forEach !== undefined,
    ...(forEach && { forEach: forEach.value }),
    ...(itemName !== undefined && { itemName }),
    ...(conditions.while && { while: conditions.while }),
    ...(conditions.until && { until: conditions.until }),
    ...(carry && { carry: carry.value }),
    ...(next && { next: next.value }),
    ...(result && { result: result.value }),
    ...(output && { output: output.value }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

/** Expressions that are evaluated around a turn may read what happened in it. */
function inBody(reader: NodeReader): NodeReader {
  return { ...reader, marks: { inBody: true } };
}

function readLoopCondition(reader: NodeReader, name: string): Condition | undefined {
  const at = reader.fields.find(name);
  return at === undefined ? undefined : readCondition(reader, at, `"${name}" of ${reader.fields.what}`);
}

export function readItemName({ fields }: NodeReader): string | undefined {
  const at = fields.find("as");
  const name = fields.text("as", MAX_ID_LENGTH);
  if (at === undefined || name === undefined) return undefined;
  if (fields.find("for_each") === undefined && fields.find("range") === undefined) {
    fields.report.add(
      "conflicting-fields",
      at,
      `"as" of ${fields.what} names an item, and there is no "for_each"`,
      "remove it",
    );
  }
  return checkItemName(name, at, fields.report) ? name : undefined;
}
