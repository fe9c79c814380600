import type { Condition, StartsDraft } from "../draft.ts";
import { createFields, jsonObjectOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { checkId } from "../ids.ts";
import { MAX_ID_LENGTH } from "../limits.ts";
import { isText, stripBraces } from "../nodes/reader.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceNode } from "../source/source-node.ts";
import { END_STATUSES } from "./starts.ts";
import type { EndStatus } from "./starts.ts";

/** All but `id`, which a trigger node has as its own. */
export const TRIGGER_FIELDS = ["on", "filter", "input"] as const;

const EXAMPLE = "e.g. on: { workflow: nightly-report, status: completed }";

/** Reads what a trigger says beside its id; undefined when it does not say what it waits for, which is reported. */
export function readTrigger(fields: Fields, id: string): StartsDraft["triggers"][number] | undefined {
  const source = readSource(fields);
  const filter = readFilter(fields);
  const inputAt = fields.object("input");
  if (source === undefined) return undefined;
  const { workflowId, workflowAt, statuses } = source;
  return {
    id,
    at: fields.map,
    source: { kind: "execution_end", workflowId, statuses },
    workflowAt,
    ...(filter === undefined ? {} : { filter }),
    ...(inputAt === undefined ? {} : { input: jsonObjectOf(inputAt), inputAt }),
  };
}

function readSource(fields: Fields): { workflowId: string; workflowAt: SourceNode; statuses: EndStatus[] } | undefined {
  const { report, what } = fields;
  fields.require("on", EXAMPLE);
  const on = fields.object("on");
  if (on === undefined) return undefined;
  const inner = createFields(on, `"on" of ${what}`, ["workflow", "status"], report);
  const workflowAt = inner.require("workflow", EXAMPLE);
  const workflowId = inner.text("workflow", MAX_ID_LENGTH);
  const statuses = readStatuses(inner);
  if (workflowAt === undefined || workflowId === undefined) return undefined;
  return checkId(workflowId, workflowAt, "the id of a workflow", report) && statuses.length > 0
    ? { workflowId, workflowAt, statuses }
    : undefined;
}

/** One of them or a list; without the field it is a good end that counts. */
export function readStatuses(fields: Fields): EndStatus[] {
  const at = fields.find("status");
  if (at === undefined) return ["completed"];
  if (at.kind === "scalar") return [fields.oneOf("status", END_STATUSES)].filter((status) => status !== undefined);
  const items = fields.list("status")?.items ?? [];
  const statuses = items.flatMap((item) => {
    const status = END_STATUSES.find((known) => item.kind === "scalar" && known === item.value);
    if (status === undefined) {
      const shown = isText(item) ? `"${item.value}"` : describeSource(item);
      fields.report.add(
        "unknown-value",
        item,
        `"status" of ${fields.what} holds ${shown}`,
        `one of ${END_STATUSES.join(", ")}`,
      );
    }
    return status ?? [];
  });
  if (items.length === 0)
    fields.report.add("missing-field", at, `"status" of ${fields.what} is empty`, "e.g. [completed, failed]");
  return [...new Set(statuses)];
}

function readFilter(fields: Fields): Condition | undefined {
  const at = fields.find("filter");
  if (at === undefined) return undefined;
  if (isText(at)) return { source: stripBraces(at.value).source, at };
  fields.report.add(
    "wrong-type",
    at,
    `"filter" of ${fields.what} is ${describeSource(at)} where an expression is expected`,
    'e.g. "${event.output.count > 0}"',
  );
  return undefined;
}
