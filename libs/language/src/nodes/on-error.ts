import type { HandlerDraft, NodeRef } from "../draft.ts";
import { createFields } from "../fields.ts";
import { MAX_ERROR_HANDLERS, MAX_ID_LENGTH } from "../limits.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceMap, SourceNode } from "../source/source-node.ts";
import { isText, readCondition, readNodeRefs, readTemplate } from "./reader.ts";
import type { NodeReader } from "./reader.ts";
import { readClass } from "./retry.ts";

const ACTIONS = ["fail", "skip", "incident"] as const;
const FIELDS = ["type", "class", "when", "action", "continue", "fallback"] as const;
const EXAMPLE =
  "e.g. on_error: skip, on_error: { continue: [] }, or a list like [{ type: timeout, fallback: cheaper }]";

/** `on_error`: `fail` or `skip`, one handler, or a list of handlers of which the first counts that matches. */
export function readOnError(reader: NodeReader): HandlerDraft[] | undefined {
  const { fields } = reader;
  const at = fields.find("on_error");
  if (at === undefined) return undefined;
  if (at.kind === "scalar") {
    const action = fields.oneOf("on_error", ACTIONS);
    return action === undefined ? undefined : [{ action, at }];
  }
  return readHandlers(reader, at, {
    fields: FIELDS,
    example: EXAMPLE,
    read(handler, item, match) {
      const action = readAction(handler, item);
      return action && { ...match, ...action };
    },
  });
}

/** Which failures a handler is about, and where it stands. */
export type HandlerMatch = Pick<HandlerDraft, "types" | "class" | "when" | "at">;

interface HandlerKind<Draft> {
  fields: readonly string[];
  example: string;
  /** What it does about them. */
  read(reader: NodeReader, item: SourceMap, match: HandlerMatch): Draft | undefined;
}

/** One handler, or a list of them. */
export function readHandlers<Draft>(reader: NodeReader, at: SourceNode, kind: HandlerKind<Draft>): Draft[] {
  const { fields } = reader;
  const items = at.kind === "list" ? at.items : [at];
  if (items.length === 0 || items.length > MAX_ERROR_HANDLERS) {
    const message = `"on_error" of ${fields.what} has ${items.length} handlers`;
    fields.report.add("out-of-range", at, message, `from 1 to ${MAX_ERROR_HANDLERS}`);
  }
  return items.flatMap((item) => readHandler(reader, item, kind) ?? []);
}

function readHandler<Draft>(node: NodeReader, item: SourceNode, kind: HandlerKind<Draft>): Draft | undefined {
  const { report, what } = node.fields;
  if (item.kind !== "map") {
    const message = `a handler in "on_error" of ${what} is ${describeSource(item)} where an object is expected`;
    report.add("wrong-type", item, message, kind.example);
    return undefined;
  }
  const fields = createFields(item, `a handler in "on_error" of ${what}`, kind.fields, report);
  const reader: NodeReader = { ...node, fields, marks: { names: ["error"] } };
  const types = readTypes(fields);
  const whenAt = fields.find("when");
  const when = whenAt === undefined ? undefined : readCondition(reader, whenAt, `"when" of ${fields.what}`);
  const wanted = readClass(fields);
  const match = { at: item, ...(types && { types }), ...(wanted && { class: wanted }), ...(when && { when }) };
  return kind.read(reader, item, match);
}

type HandlerAction =
  | { action: "fail" | "skip" | "incident" }
  | { action: "continue"; value: Extract<HandlerDraft, { action: "continue" }>["value"] }
  | { action: "fallback"; target: Extract<HandlerDraft, { action: "fallback" }>["target"] };

function readAction(reader: NodeReader, item: SourceMap): HandlerAction | undefined {
  const { fields } = reader;
  const given = ["action", "continue", "fallback"].filter((name) => item.entries.has(name));
  const [first, second] = given;
  if (second !== undefined) {
    const message = `${fields.what} has both "${first}" and "${second}"`;
    fields.report.add("conflicting-fields", item.entries.get(second)!.key, message, "keep one of them");
    return undefined;
  }
  switch (first) {
    case "action": {
      const action = fields.oneOf("action", ACTIONS);
      return action && { action };
    }
    case "continue":
      return { action: "continue", value: readTemplate(reader, "continue")?.value ?? null };
    case "fallback": {
      const target = readFallback(fields);
      return target && { action: "fallback", target };
    }
    default:
      fields.report.add("missing-field", item, `${fields.what} says nothing to do`, EXAMPLE);
      return undefined;
  }
}

export function readFallback(fields: NodeReader["fields"]): NodeRef | undefined {
  return readNodeRefs(fields, "fallback", { allowSingle: true })[0];
}

function readTypes(fields: NodeReader["fields"]): string[] | undefined {
  const at = fields.find("type");
  if (at === undefined) return undefined;
  const items = at.kind === "list" ? at.items : [at];
  const types: string[] = [];
  for (const item of items) {
    if (isText(item) && item.value !== "" && item.value.length <= MAX_ID_LENGTH) types.push(item.value);
    else {
      const message = `"type" of ${fields.what} holds ${describeSource(item)} where the type of an error is expected`;
      fields.report.add("wrong-type", item, message, "e.g. type: timeout, or type: [timeout, http_error]");
    }
  }
  return types;
}
