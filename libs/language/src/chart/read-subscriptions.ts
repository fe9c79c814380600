import type { ChartSubscription } from "@heddle/statechart";
import { createFields, type Fields, jsonObjectOf } from "../fields.ts";
import { checkId } from "../ids.ts";
import { MAX_ID_LENGTH, MAX_LABELS } from "../limits.ts";
import { isText } from "../nodes/reader.ts";
import { describeSource, type SourceMap } from "../source/source-node.ts";
import { readStatuses } from "../starts/trigger.ts";
import type { ChartReader, SubscriptionDraft } from "./draft.ts";

const EXAMPLE = "e.g. subscribe: { workflow: fulfil-order, status: [completed, failed] }";

/** What a state, or the machine as a whole, hears of executions: one subscription, or a list. */
export function readSubscriptions(parent: Fields, reader: ChartReader): SubscriptionDraft[] {
  const at = parent.find("subscribe");
  if (at === undefined) return [];
  return (at.kind === "list" ? at.items : [at]).flatMap((item) => {
    if (item.kind === "map") return readSubscription(item, parent, reader) ?? [];
    parent.report.add(
      "wrong-type",
      item,
      `"subscribe" is ${describeSource(item)} where an object is expected`,
      EXAMPLE,
    );
    return [];
  });
}

function readSubscription(at: SourceMap, { report }: Fields, reader: ChartReader): SubscriptionDraft | undefined {
  const fields = createFields(at, "a subscription", ["workflow", "status", "labels", "event"], report);
  const workflowAt = fields.require("workflow", EXAMPLE);
  const workflowId = fields.text("workflow", MAX_ID_LENGTH);
  const statuses = readStatuses(fields);
  const labels = readLabels(fields, reader);
  const eventAt = fields.find("event");
  const event = fields.text("event", MAX_ID_LENGTH);
  if (event !== undefined && eventAt !== undefined && !/^[^\s.*]+(\.[^\s.*]+)*$/.test(event)) {
    report.add(
      "bad-id",
      eventAt,
      `${JSON.stringify(event)} is no name of an event`,
      "names with dots between their parts",
    );
  }
  if (workflowAt === undefined || workflowId === undefined) return undefined;
  if (!checkId(workflowId, workflowAt, "the id of a workflow", report)) return undefined;
  const subscription: ChartSubscription = {
    workflowId,
    statuses,
    ...(labels === undefined ? {} : { labels }),
    ...(event === undefined ? {} : { event }),
  };
  return { workflowAt, subscription };
}

function readLabels(fields: Fields, reader: ChartReader): Record<string, string> | undefined {
  const map = fields.object("labels");
  if (map === undefined) return undefined;
  const { report } = fields;
  if (map.entries.size > MAX_LABELS) {
    report.add("out-of-range", map, `a subscription has ${map.entries.size} labels`, `at most ${MAX_LABELS}`);
  }
  for (const { value } of map.entries.values()) {
    if (isText(value)) continue;
    report.add(
      "wrong-type",
      value,
      `a label of a subscription is ${describeSource(value)} where text is expected`,
      'e.g. labels: { order: "${machine.key}" }',
    );
  }
  reader.uses.push({ kind: "template", at: map, only: ["machine"] });
  return jsonObjectOf(map) as Record<string, string>;
}
