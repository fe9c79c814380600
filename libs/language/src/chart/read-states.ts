import type { ChartInvocation } from "@heddle/statechart";
import { createFields, type Fields, jsonObjectOf } from "../fields.ts";
import { checkId } from "../ids.ts";
import { MAX_DESCRIPTION_LENGTH, MAX_ID_LENGTH, MAX_STATES } from "../limits.ts";
import { isText, readCondition } from "../nodes/reader.ts";
import { readRetry } from "../nodes/retry.ts";
import { describeSource, type SourceMap, type SourceNode } from "../source/source-node.ts";
import type { ChartReader, InvocationDraft, StateDraft, StateRef, TransitionDraft } from "./draft.ts";
import { readSubscriptions } from "./read-subscriptions.ts";
import { optionalTemplate, readActions, readDelay, TIMER_POLICIES, toNodeReader } from "./read-actions.ts";

const STATE_FIELDS = [
  "name",
  "description",
  "type",
  "parallel",
  "history",
  "initial_state",
  "initial",
  "default",
  "context",
  "on_enter",
  "on_exit",
  "transitions",
  "invoke",
  "subscribe",
  "output",
  "states",
] as const;
const STATE_TYPES = ["atomic", "compound", "parallel", "final", "history"] as const;

/** Reads the `states` of the workflow or of a state, in document order: parents before their children. */
export function readStates(fields: Fields, parent: number, reader: ChartReader): void {
  for (const item of fields.list("states")?.items ?? []) {
    if (reader.states.length > MAX_STATES) {
      fields.report.add(
        "too-many-states",
        item,
        `the machine has more than ${MAX_STATES} states`,
        "split it: a state can invoke another machine",
      );
      return;
    }
    if (item.kind === "map") readState(item, parent, fields, reader);
    else {
      fields.report.add(
        "wrong-type",
        item,
        `a state is ${describeSource(item)} where an object is expected`,
        "e.g. - name: processing",
      );
    }
  }
}

function readState(at: SourceMap, parent: number, around: Fields, reader: ChartReader): void {
  const { report } = around;
  const fields = createFields(at, "a state", STATE_FIELDS, report);
  const nameAt = fields.require("name", "e.g. name: processing") ?? at;
  const name = fields.text("name", MAX_ID_LENGTH) ?? "";
  const id = name !== "" && checkId(name, nameAt, "the name of a state", report) ? name : "";
  fields.text("description", MAX_DESCRIPTION_LENGTH);
  const kind = readKind(fields);
  const state: StateDraft = {
    index: reader.states.length,
    id,
    at,
    nameAt,
    parent,
    kind: kind.kind,
    ...(kind.history === undefined ? {} : { history: kind.history }),
    ...readInitial(fields, reader),
    transitions: readTransitions(fields, reader),
    onEnter: readActions(fields, "on_enter", reader),
    onExit: readActions(fields, "on_exit", reader),
    ...readContext(fields, reader),
    invocations: readInvocations(fields, reader),
    subscriptions: readSubscriptions(fields, reader),
    ...optionalTemplate(fields, reader, "output", "doneData"),
  };
  reader.states.push(state);
  checkKind(state, fields);
  readStates(fields, state.index, reader);
}

function readKind(fields: Fields): Pick<StateDraft, "kind" | "history"> {
  const type = fields.oneOf("type", STATE_TYPES);
  const history = fields.oneOf("history", ["shallow", "deep"]);
  const parallel = fields.boolean("parallel");
  const found = new Set<StateDraft["kind"]>();
  if (type !== undefined) found.add(type);
  if (history !== undefined) found.add("history");
  if (parallel === true) found.add("parallel");
  if (found.size > 1) {
    fields.report.add(
      "bad-state",
      fields.map,
      `a state is said to be ${[...found].join(" and ")}`,
      "a state is one of them",
    );
  }
  const [kind] = found;
  if (kind === "history") return { kind, history: history ?? "shallow" };
  const hasStates = (fields.list("states")?.items.length ?? 0) > 0;
  return { kind: kind ?? (hasStates ? "compound" : "atomic") };
}

/** Fields that a kind of state cannot have. */
const FORBIDDEN: Record<StateDraft["kind"], readonly string[]> = {
  atomic: ["initial_state", "initial", "default", "output", "states"],
  compound: ["default", "output"],
  parallel: ["initial_state", "initial", "default", "output"],
  final: ["initial_state", "initial", "default", "transitions", "states", "invoke", "subscribe"],
  history: [
    "initial_state",
    "initial",
    "transitions",
    "states",
    "invoke",
    "subscribe",
    "on_enter",
    "on_exit",
    "context",
    "output",
  ],
};

function checkKind({ kind }: StateDraft, fields: Fields): void {
  for (const name of FORBIDDEN[kind]) {
    const at = fields.find(name);
    if (at === undefined || (at.kind === "list" && at.items.length === 0)) continue;
    const article = kind === "atomic" ? "a state without states inside" : `a ${kind} state`;
    fields.report.add("bad-state", at, `${article} cannot have "${name}"`, `remove it, or change what the state is`);
  }
  const needsStates = kind === "compound" || kind === "parallel";
  if (needsStates && (fields.list("states")?.items.length ?? 0) === 0) {
    fields.report.add("bad-state", fields.map, `a ${kind} state has no states inside`, "add them under `states`");
  }
}

/** `initial_state`, `initial` or, of a history, `default`: a name, a list, or names with actions. */
export function readInitial(fields: Fields, reader: ChartReader): Pick<StateDraft, "initial"> {
  for (const name of ["initial", "initial_state", "default"]) {
    const at = fields.find(name);
    if (at === undefined) continue;
    if (at.kind !== "map") return { initial: { targets: readRefs(at, `"${name}"`, fields), actions: [], at } };
    const long = createFields(at, `"${name}"`, ["target", "actions"], fields.report);
    const target = long.require("target", "the name of a state inside");
    return {
      initial: {
        targets: target === undefined ? [] : readRefs(target, `"target" of "${name}"`, fields),
        actions: readActions(long, "actions", reader),
        at,
      },
    };
  }
  return {};
}

function readRefs(at: SourceNode, what: string, { report }: Fields): StateRef[] {
  return (at.kind === "list" ? at.items : [at]).flatMap((item) => {
    if (isText(item)) return [{ id: item.value, at: item }];
    report.add(
      "wrong-type",
      item,
      `${what} is ${describeSource(item)} where the name of a state is expected`,
      "write the name as text",
    );
    return [];
  });
}

export function readContext(fields: Fields, reader: ChartReader): Pick<StateDraft, "data"> {
  const map = fields.object("context");
  if (map === undefined) return {};
  reader.uses.push({ kind: "template", at: map });
  for (const { name, key } of map.entries.values()) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) reader.assigned.add(name);
    else
      fields.report.add(
        "bad-id",
        key,
        `${JSON.stringify(name.slice(0, 60))} cannot be a field of the context`,
        "letters, digits and _",
      );
  }
  return { data: jsonObjectOf(map) };
}

function readTransitions(parent: Fields, reader: ChartReader): TransitionDraft[] {
  return (parent.list("transitions")?.items ?? []).flatMap((item) => {
    if (item.kind === "map") return [readTransition(item, parent, reader)];
    parent.report.add(
      "wrong-type",
      item,
      `a transition is ${describeSource(item)} where an object is expected`,
      "e.g. { event: begin, target: processing }",
    );
    return [];
  });
}

function readTransition(at: SourceMap, { report }: Fields, reader: ChartReader): TransitionDraft {
  const fields = createFields(
    at,
    "a transition",
    ["event", "guard", "target", "internal", "actions", "after", "resume"],
    report,
  );
  const eventsAt = fields.find("event");
  const events = eventsAt === undefined ? [] : readEvents(eventsAt, fields);
  const guardAt = fields.find("guard");
  const guard =
    guardAt === undefined ? undefined : readCondition(toNodeReader(fields, reader), guardAt, '"guard" of a transition');
  const targetAt = fields.find("target");
  const delay = readDelay(fields, "after", reader);
  const policy = fields.oneOf("resume", TIMER_POLICIES);
  if (delay !== undefined && eventsAt !== undefined) {
    report.add("conflicting-fields", eventsAt, 'a transition has both "event" and "after"', "write two transitions");
  }
  return {
    at,
    events,
    ...(eventsAt === undefined ? {} : { eventsAt }),
    ...(guard === undefined ? {} : { guard }),
    targets: targetAt === undefined ? [] : readRefs(targetAt, '"target" of a transition', fields),
    internal: fields.boolean("internal") ?? false,
    actions: readActions(fields, "actions", reader),
    ...(delay === undefined ? {} : { delay }),
    ...(policy === undefined ? {} : { delayPolicy: policy }),
  };
}

const DESCRIPTOR = /^(\*|[^\s.*]+(\.[^\s.*]+)*(\.\*|\.)?)$/;

function readEvents(at: SourceNode, { report }: Fields): string[] {
  return (at.kind === "list" ? at.items : [at]).flatMap((item) => {
    if (!isText(item)) {
      report.add(
        "wrong-type",
        item,
        `"event" of a transition is ${describeSource(item)} where text is expected`,
        "e.g. event: order.paid",
      );
      return [];
    }
    return item.value.split(/\s+/).filter((descriptor) => {
      if (descriptor === "") return false;
      if (DESCRIPTOR.test(descriptor) && descriptor.length <= MAX_ID_LENGTH) return true;
      report.add(
        "bad-id",
        item,
        `${JSON.stringify(descriptor.slice(0, 60))} is no description of events`,
        "names with dots between their parts, at most a * as the last: order.paid, order.*, *",
      );
      return false;
    });
  });
}

const INVOCATION_FIELDS = [
  "id",
  "workflow",
  "tool",
  "agent",
  "machine",
  "version",
  "inputs",
  "auto_forward",
  "finalize",
  "timeout",
  "retry",
] as const;
const INVOKED = ["workflow", "tool", "agent", "machine"] as const satisfies readonly ChartInvocation["kind"][];

function readInvocations(parent: Fields, reader: ChartReader): InvocationDraft[] {
  const at = parent.find("invoke");
  if (at === undefined) return [];
  return (at.kind === "list" ? at.items : [at]).flatMap((item) => {
    if (item.kind === "map") return readInvocation(item, parent, reader) ?? [];
    parent.report.add(
      "wrong-type",
      item,
      `"invoke" is ${describeSource(item)} where an object is expected`,
      "e.g. invoke: { id: ship, workflow: fulfil-order }",
    );
    return [];
  });
}

function readInvocation(at: SourceMap, { report }: Fields, reader: ChartReader): InvocationDraft | undefined {
  const fields = createFields(at, "an invocation", INVOCATION_FIELDS, report);
  const idAt = fields.require("id", "events are named after it: done.invoke.<id>");
  const id = fields.text("id", MAX_ID_LENGTH);
  const given = INVOKED.filter((name) => fields.find(name) !== undefined);
  const [kind] = given;
  if (given.length !== 1) {
    report.add(
      "missing-field",
      at,
      `an invocation names ${given.length === 0 ? "nothing" : given.join(" and ")}`,
      `exactly one of ${INVOKED.join(", ")}`,
    );
  }
  const version = fields.integer("version", { min: 1, max: 2 ** 31 - 1 });
  const timeoutMs = fields.durationMs("timeout");
  const input = optionalTemplate(fields, reader, "inputs", "input");
  const finalize = readActions(fields, "finalize", reader);
  const autoForward = fields.boolean("auto_forward") ?? false;
  const retryAt = fields.find("retry");
  if (
    idAt === undefined ||
    id === undefined ||
    kind === undefined ||
    !checkId(id, idAt, "the id of an invocation", report)
  )
    return undefined;
  if (retryAt !== undefined && kind !== "tool" && kind !== "agent") {
    report.add("bad-state", retryAt, `an invocation of a ${kind} has no "retry"`, "its own steps have");
  }
  const nameAt = fields.find(kind);
  const inputAt = fields.find("inputs");
  const described = kind === "agent" && nameAt?.kind === "map" ? jsonObjectOf(nameAt) : undefined;
  const name = described === undefined ? fields.text(kind, MAX_ID_LENGTH) : id;
  const agent = described ?? (kind === "agent" && name !== undefined ? reader.agents.get(name) : undefined);
  return {
    at,
    ...(nameAt === undefined || described !== undefined ? {} : { nameAt }),
    ...(inputAt === undefined ? {} : { inputAt }),
    invocation: {
      id,
      kind,
      name: name ?? "",
      ...(version === undefined ? {} : { version }),
      ...input,
      ...(agent === undefined ? {} : { agent }),
      finalize,
      autoForward,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(kind === "tool" || kind === "agent" ? { retry: readRetry(fields) } : {}),
    },
  };
}
