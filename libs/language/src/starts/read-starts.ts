import type { StartsDraft } from "../draft.ts";
import { createFields } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { checkId } from "../ids.ts";
import { MAX_ID_LENGTH, MAX_SCHEDULES, MAX_TRIGGERS } from "../limits.ts";
import { isText } from "../nodes/reader.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceMap } from "../source/source-node.ts";
import { readSchedule, SCHEDULE_FIELDS } from "./schedule.ts";
import { readTrigger, TRIGGER_FIELDS } from "./trigger.ts";

interface Kind<Draft> {
  list: "schedules" | "triggers";
  what: "schedule" | "trigger";
  fields: readonly string[];
  example: string;
  max: number;
  read(fields: Fields, id: string): Draft | undefined;
}

const SCHEDULES: Kind<StartsDraft["schedules"][number]> = {
  list: "schedules",
  what: "schedule",
  fields: SCHEDULE_FIELDS,
  example: 'e.g. - { id: every-night, cron: "0 2 * * *", time_zone: Europe/Berlin }',
  max: MAX_SCHEDULES,
  read: readSchedule,
};

const TRIGGERS: Kind<StartsDraft["triggers"][number]> = {
  list: "triggers",
  what: "trigger",
  fields: TRIGGER_FIELDS,
  example: "e.g. - { id: after-report, on: { workflow: nightly-report } }",
  max: MAX_TRIGGERS,
  read: readTrigger,
};

/** `schedules` and `triggers` of a workflow. */
export function readStarts(fields: Fields): StartsDraft {
  return { schedules: readList(fields, SCHEDULES), triggers: readList(fields, TRIGGERS) };
}

function readList<Draft>(fields: Fields, kind: Kind<Draft>): Draft[] {
  const { report } = fields;
  const { list, what, max } = kind;
  const items = fields.list(list)?.items ?? [];
  if (items.length > max) {
    report.add("out-of-range", items[max]!, `the workflow has ${items.length} ${list}`, `at most ${max}`);
  }
  return items.slice(0, max).flatMap((item) => {
    if (item.kind === "map") return readItem(item, fields, kind) ?? [];
    report.add("wrong-type", item, `a ${what} is ${describeSource(item)} where an object is expected`, kind.example);
    return [];
  });
}

function readItem<Draft>(item: SourceMap, { report }: Fields, kind: Kind<Draft>): Draft | undefined {
  const idNode = item.entries.get("id")?.value;
  const isNamed = idNode !== undefined && isText(idNode) && idNode.value.length <= MAX_ID_LENGTH;
  const what = isNamed ? `the ${kind.what} "${idNode.value}"` : `a ${kind.what}`;
  const fields = createFields(item, what, ["id", "description", ...kind.fields], report);
  const idAt = fields.require("id", kind.example);
  const id = fields.text("id", MAX_ID_LENGTH);
  const isGood = idAt !== undefined && id !== undefined && checkId(id, idAt, `the id of a ${kind.what}`, report);
  const draft = kind.read(fields, id ?? "");
  return isGood ? draft : undefined;
}
