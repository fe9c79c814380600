import type { Json } from "@heddle/engine";
import type { ChartAction, SendTarget, TimerPolicy } from "@heddle/statechart";
import { createFields, type Fields, readDuration } from "../fields.ts";
import { MAX_ID_LENGTH } from "../limits.ts";
import { isText, type NodeReader, readCondition, readTemplate, rejectExpression } from "../nodes/reader.ts";
import { describeSource, type SourceMap, type SourceNode } from "../source/source-node.ts";
import type { ChartReader } from "./draft.ts";

type ActionName = ChartAction["action"];
const ACTIONS = ["log", "assign", "raise", "send", "cancel", "if", "foreach"] as const satisfies readonly ActionName[];
const LEVELS = ["debug", "info", "warn", "error"] as const;
export const TIMER_POLICIES = ["absolute", "remaining", "restart"] as const satisfies readonly TimerPolicy[];
const LOCATION = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** One action, or a list of them. */
export function readActions(fields: Fields, name: string, reader: ChartReader): ChartAction[] {
  const at = fields.find(name);
  if (at === undefined) return [];
  const items = at.kind === "list" ? at.items : [at];
  return items.flatMap((item) => {
    const action = readAction(item, fields, reader);
    return action === undefined ? [] : [action];
  });
}

function readAction(at: SourceNode, parent: Fields, reader: ChartReader): ChartAction | undefined {
  const { report } = parent;
  if (at.kind !== "map") {
    report.add(
      "wrong-type",
      at,
      `an action of ${parent.what} is ${describeSource(at)} where an object is expected`,
      'e.g. { type: log, params: { message: "paid" } }',
    );
    return undefined;
  }
  const fields = createFields(at, "an action", ["type", "params"], report);
  fields.require("type", `one of ${ACTIONS.join(", ")}`);
  const action = fields.oneOf("type", ACTIONS);
  const params =
    fields.require("params", "what the action works with") === undefined ? undefined : fields.object("params");
  return action === undefined || params === undefined ? undefined : READERS[action](params, fields, reader);
}

type Read = (params: SourceMap, action: Fields, reader: ChartReader) => ChartAction | undefined;

const READERS: Record<ActionName, Read> = {
  log(params, { report }, reader) {
    const fields = createFields(params, "params of log", ["message", "level"], report);
    const message = requireTemplate(fields, reader, "message", "the text to log");
    const level = fields.oneOf("level", LEVELS) ?? "info";
    return message === undefined ? undefined : { action: "log", message, level };
  },
  assign(params, { report }, reader) {
    const values: { location: string; value: Json }[] = [];
    const fields = createFields(params, "params of assign", [...params.entries.keys()], report);
    for (const { name, key } of params.entries.values()) {
      if (!checkLocation(name, key, fields, reader)) continue;
      const template = readTemplate(toNodeReader(fields, reader), name);
      if (template !== undefined) values.push({ location: name, value: template.value });
    }
    return { action: "assign", values };
  },
  raise(params, { report }, reader) {
    const fields = createFields(params, "params of raise", ["event", "data"], report);
    fields.require("event", "the name of the event, e.g. event: order.paid");
    rejectExpression(fields, "event", "write it out; put what varies into the data");
    const event = fields.text("event", MAX_ID_LENGTH);
    if (event === undefined) return undefined;
    reader.sent.add(event);
    return { action: "raise", event, ...optionalTemplate(fields, reader, "data", "data") };
  },
  send: readSend,
  cancel(params, { report }, reader) {
    const fields = createFields(params, "params of cancel", ["id"], report);
    const sendId = requireTemplate(fields, reader, "id", "the id of the send");
    return sendId === undefined ? undefined : { action: "cancel", sendId };
  },
  if(params, { report }, reader) {
    const fields = createFields(params, "params of if", ["condition", "then", "elif", "else"], report);
    const branches = [readBranch(fields, reader), ...readElif(fields, reader)].filter((branch) => branch !== undefined);
    return { action: "if", branches, otherwise: readActions(fields, "else", reader) };
  },
  foreach(params, { report }, reader) {
    const fields = createFields(params, "params of foreach", ["items", "item", "index", "do"], report);
    const at = fields.require("items", 'the list to go through, e.g. items: "${orders}"');
    const items = at === undefined ? undefined : readCondition(toNodeReader(fields, reader), at, '"items" of foreach');
    fields.require("item", "the name of the variable, e.g. item: order");
    const item = fields.text("item", MAX_ID_LENGTH);
    const index = fields.text("index", MAX_ID_LENGTH);
    const from = reader.uses.length;
    const actions = readActions(fields, "do", reader);
    for (const use of reader.uses.slice(from)) use.locals = [...(use.locals ?? []), item ?? "", index ?? ""];
    if (items === undefined || item === undefined) return undefined;
    return { action: "foreach", items: items.source, item, actions, ...(index === undefined ? {} : { index }) };
  },
};

function readBranch(fields: Fields, reader: ChartReader) {
  const at = fields.require("condition", 'an expression, e.g. condition: "${total > 100}"');
  const condition = at === undefined ? undefined : readCondition(toNodeReader(fields, reader), at, '"condition"');
  const actions = readActions(fields, "then", reader);
  return condition === undefined ? undefined : { condition: condition.source, actions };
}

function readElif(fields: Fields, reader: ChartReader) {
  return (fields.list("elif")?.items ?? []).map((item) => {
    if (item.kind === "map")
      return readBranch(createFields(item, "a branch of elif", ["condition", "then"], fields.report), reader);
    fields.report.add(
      "wrong-type",
      item,
      `a branch of elif is ${describeSource(item)} where an object is expected`,
      "e.g. { condition: ..., then: [...] }",
    );
    return undefined;
  });
}

function readSend(params: SourceMap, { report }: Fields, reader: ChartReader): ChartAction | undefined {
  const fields = createFields(
    params,
    "params of send",
    ["event", "data", "delay", "id", "id_location", "resume", "to"],
    report,
  );
  const event = requireTemplate(fields, reader, "event", "the name of the event, e.g. event: order.paid");
  const target = readTarget(fields, reader);
  const delay = readDelay(fields, "delay", reader);
  const policy = fields.oneOf("resume", TIMER_POLICIES);
  const idLocation = fields.text("id_location", MAX_ID_LENGTH);
  if (idLocation !== undefined) checkLocation(idLocation, fields.find("id_location") ?? params, fields, reader);
  const delayAt = fields.find("delay");
  if (delayAt !== undefined && target.kind !== "self") {
    report.add(
      "conflicting-fields",
      delayAt,
      '"delay" stands beside "to"',
      "only an event for the machine itself can be delayed",
    );
  }
  if (event === undefined) return undefined;
  if (typeof event === "string" && (target.kind === "self" || target.kind === "internal")) reader.sent.add(event);
  return {
    action: "send",
    event,
    target,
    ...optionalTemplate(fields, reader, "data", "data"),
    ...optionalTemplate(fields, reader, "id", "sendId"),
    ...(delay === undefined ? {} : { delay }),
    ...(policy === undefined ? {} : { delayPolicy: policy }),
    ...(idLocation === undefined ? {} : { idLocation }),
  };
}

function readTarget(fields: Fields, reader: ChartReader): SendTarget {
  const at = fields.find("to");
  if (at === undefined) return { kind: "self" };
  if (at.kind !== "map") {
    const name = fields.oneOf("to", ["self", "internal", "parent"]);
    return { kind: name ?? "self" };
  }
  const target = createFields(
    at,
    '"to" of send',
    ["invocation", "machine", "workflow", "key", "execution"],
    fields.report,
  );
  const [invocation, machine, workflow, key, execution] = ["invocation", "machine", "workflow", "key", "execution"].map(
    (name) => readTemplate(toNodeReader(target, reader), name)?.value,
  );
  if (invocation !== undefined) return { kind: "invocation", invokeId: invocation };
  if (execution !== undefined) return { kind: "execution", executionId: execution };
  if (machine !== undefined) return { kind: "machine", machineId: machine };
  if (workflow !== undefined && key !== undefined) return { kind: "machine", workflowId: workflow, key };
  fields.report.add(
    "missing-field",
    at,
    '"to" of send says neither an invocation, nor a machine, nor an execution',
    "e.g. to: { invocation: ship }, to: { workflow: order, key: ... }",
  );
  return { kind: "self" };
}

/** A duration, or a template that gives one. */
export function readDelay(fields: Fields, name: string, reader: ChartReader): number | string | undefined {
  const at = fields.find(name);
  if (at === undefined) return undefined;
  if (!isText(at) || !at.value.includes("${")) return readDuration(at, `"${name}" of ${fields.what}`, fields.report);
  readTemplate(toNodeReader(fields, reader), name);
  return at.value;
}

export function toNodeReader(fields: Fields, { uses }: Pick<ChartReader, "uses">): NodeReader {
  return { fields, uses };
}

function requireTemplate(fields: Fields, reader: ChartReader, name: string, hint: string): Json | undefined {
  fields.require(name, hint);
  return readTemplate(toNodeReader(fields, reader), name)?.value;
}

export function optionalTemplate<K extends string>(
  fields: Fields,
  reader: Pick<ChartReader, "uses">,
  name: string,
  as: K,
): { [key in K]?: Json } {
  const template = readTemplate(toNodeReader(fields, reader), name);
  return template === undefined ? {} : ({ [as]: template.value } as { [key in K]?: Json });
}

function checkLocation(
  location: string,
  at: { start: number; end: number },
  { report }: Fields,
  reader: ChartReader,
): boolean {
  if (LOCATION.test(location)) {
    reader.assigned.add(location.split(".", 1)[0] as string);
    return true;
  }
  report.add(
    "bad-id",
    at,
    `${JSON.stringify(location.slice(0, 60))} cannot be a field of the context`,
    "letters, digits and _, with dots between fields, e.g. order.total",
  );
  return false;
}
