import type { EscalationStep, Json, JsonObject, Quorum } from "@heddle/engine";
import type { NodeBody } from "../draft.ts";
import { createFields, jsonObjectOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { MAX_DURATION_MS, MAX_ESCALATIONS, MAX_ID_LENGTH, MAX_QUORUM } from "../limits.ts";
import { parseDuration } from "../duration.ts";
import { checkSchema } from "../schema.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceMap } from "../source/source-node.ts";
import { findConstantFaults } from "../tool-inputs.ts";
import { isText, readTemplate } from "./reader.ts";
import type { NodeReader } from "./reader.ts";

export const HUMAN_FIELDS = [
  "title",
  "assignee",
  "groups",
  "form",
  "data",
  "proposed",
  "priority",
  "deadline",
  "escalation",
  "default",
  "quorum",
] as const;

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** A node that asks people. */
export function readHuman(reader: NodeReader): NodeBody {
  const { fields } = reader;
  fields.require("title", 'what is asked, e.g. title: "Refund ${input.amount}?"');
  const form = readForm(fields);
  const quorum = readQuorum(fields, form);
  if (quorum !== undefined) checkNoAssignee(fields);
  const asked = readAsked(reader);
  const escalation = readEscalation(reader, quorum !== undefined);
  checkDeadlines(fields, [asked.deadline, ...(escalation ?? []).map(({ deadline }) => deadline)]);
  const priority = fields.integer("priority", { min: 0, max: 9 });
  const defaultAnswer = readTemplate(reader, "default");
  if (defaultAnswer !== undefined && form !== undefined) {
    for (const { node, text } of findConstantFaults(defaultAnswer.value, defaultAnswer.at, form)) {
      const message = `the default answer of ${fields.what} does not fit its form${text}`;
      fields.report.add("bad-default-answer", node, message, "an answer of a person would be refused like this");
    }
  }
  const template = (name: string) => readTemplate(reader, name)?.value;
  const [description, data, proposed] = [template("description"), template("data"), template("proposed")];
  return {
    kind: "human",
    title: template("title") ?? "",
    ...(description === undefined ? {} : { description }),
    ...asked,
    ...(form === undefined ? {} : { form }),
    ...(data === undefined ? {} : { data }),
    ...(proposed === undefined ? {} : { proposed }),
    ...(priority === undefined ? {} : { priority }),
    ...(escalation === undefined ? {} : { escalation }),
    ...(defaultAnswer === undefined ? {} : { defaultAnswer: defaultAnswer.value }),
    ...(quorum === undefined ? {} : { quorum }),
  };
}

function readAsked(reader: NodeReader): EscalationStep {
  const assignee = readTemplate(reader, "assignee")?.value;
  const groups = readTemplate(reader, "groups")?.value;
  const deadline = readDeadline(reader);
  return {
    ...(assignee === undefined ? {} : { assignee }),
    ...(groups === undefined ? {} : { groups }),
    ...(deadline === undefined ? {} : { deadline }),
  };
}

/** A duration, a time, or an expression that gives one. */
function readDeadline(reader: NodeReader): Json | undefined {
  const { fields } = reader;
  const at = fields.find("deadline");
  if (at === undefined) return undefined;
  if (isText(at) && at.value.includes("${")) return readTemplate(reader, "deadline")?.value;
  if (isText(at) && RFC3339.test(at.value)) return at.value;
  const ms = isText(at)
    ? parseDuration(at.value)
    : at.kind === "scalar" && typeof at.value === "number"
      ? at.value * 1_000
      : undefined;
  if (ms !== undefined && ms >= 1 && ms <= MAX_DURATION_MS) return Math.round(ms);
  const shown = isText(at) ? JSON.stringify(at.value.slice(0, 40)) : describeSource(at);
  const message = `"deadline" of ${fields.what} is ${shown}, which is neither a duration up to 366d nor a time`;
  fields.report.add("bad-duration", at, message, "e.g. 4h, a number of seconds, or 2030-01-31T12:00:00Z");
  return undefined;
}

function readForm(fields: Fields): JsonObject | undefined {
  const form = fields.object("form");
  if (form === undefined) return undefined;
  return checkSchema(form, `the form of ${fields.what}`, fields.report) ? jsonObjectOf(form) : undefined;
}

function readEscalation(reader: NodeReader, isVote: boolean): EscalationStep[] | undefined {
  const { fields } = reader;
  const list = fields.list("escalation");
  if (list === undefined) return undefined;
  if (list.items.length > MAX_ESCALATIONS) {
    const message = `"escalation" of ${fields.what} has ${list.items.length} steps`;
    fields.report.add("out-of-range", list, message, `at most ${MAX_ESCALATIONS}`);
    return undefined;
  }
  return list.items.flatMap((item) => {
    const what = `an escalation of ${fields.what}`;
    if (item.kind !== "map") {
      const message = `${what} is ${describeSource(item)} where an object is expected`;
      fields.report.add("wrong-type", item, message, "e.g. - { groups: [managers], deadline: 2h }");
      return [];
    }
    const own = createFields(item, what, ["assignee", "groups", "deadline"], fields.report);
    if (isVote) checkNoAssignee(own);
    return [readAsked({ ...reader, fields: own })];
  });
}

/** Each step but the last leads to the next one by its deadline, and the last one to the default answer. */
function checkDeadlines({ map, report, what }: Fields, deadlines: (Json | undefined)[]): void {
  const last = deadlines.findIndex((deadline) => deadline === undefined);
  if (last < 0) return;
  const missing = last === 0 ? what : `step ${last} of its escalation`;
  const of = (name: string) => map.entries.get(name)?.key;
  const escalation = of("escalation");
  const unreached = last < deadlines.length - 1 ? escalation : of("default");
  if (unreached === undefined) return;
  // A deadline that is there and wrong has its own finding.
  if (last === 0 && of("deadline") !== undefined) return;
  const name = unreached === escalation ? "escalation" : "default";
  const message = `"${name}" of ${what} is never reached: ${missing} has no deadline`;
  report.add("missing-deadline", unreached, message, "add one, e.g. deadline: 4h");
}

function checkNoAssignee({ map, report, what }: Fields): void {
  const assignee = map.entries.get("assignee");
  if (assignee === undefined) return;
  const message = `${what} has an assignee, and several people are to answer`;
  report.add("conflicting-fields", assignee.key, message, "name groups, or remove the quorum");
}

/** `{ of: 3, rule: majority, field: approved }` */
function readQuorum(node: Fields, form: JsonObject | undefined): Quorum | undefined {
  const map = node.object("quorum");
  if (map === undefined) return undefined;
  const fields = createFields(map, `"quorum" of ${node.what}`, ["of", "rule", "field"], node.report);
  fields.require("of", "how many people may answer");
  const of = fields.integer("of", { min: 1, max: MAX_QUORUM }) ?? 1;
  const field = fields.text("field", MAX_ID_LENGTH);
  const need = readNeed(fields, map, of);
  if (field !== undefined && !hasProperty(form, field)) {
    const message = `the answers are to agree on "${field}", which the form of ${node.what} does not have`;
    node.report.add("bad-quorum", map.entries.get("field")!.value, message, "add it to the form's properties");
  }
  return { of, need, ...(field === undefined ? {} : { field }) };
}

/** `all`, `any`, `majority`, or how many. */
function readNeed(fields: Fields, map: SourceMap, of: number): number {
  const at = map.entries.get("rule")?.value;
  if (at?.kind === "scalar" && typeof at.value === "number") {
    const need = fields.integer("rule", { min: 1, max: MAX_QUORUM }) ?? 1;
    if (need > of) {
      const message = `${fields.what} needs ${need} answers, and only ${of} may come`;
      fields.report.add("bad-quorum", at, message, `a number from 1 to ${of}, or all, any, majority`);
    }
    return need;
  }
  switch (fields.oneOf("rule", ["all", "any", "majority"])) {
    case "any":
      return 1;
    case "majority":
      return Math.floor(of / 2) + 1;
    default:
      return of;
  }
}

/** A form that does not list its fields may have any. */
function hasProperty(form: JsonObject | undefined, name: string): boolean {
  const properties = form?.["properties"];
  return typeof properties !== "object" || properties === null || Object.hasOwn(properties, name);
}
