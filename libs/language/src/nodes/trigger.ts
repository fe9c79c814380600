import type { NodeBody, StartsDraft } from "../draft.ts";
import { createFields } from "../fields.ts";
import { readSchedule, SCHEDULE_FIELDS } from "../starts/schedule.ts";
import { readTrigger, TRIGGER_FIELDS } from "../starts/trigger.ts";
import type { NodeReader } from "./reader.ts";

const SUBTYPES = ["manual", "cron", "event", "webhook"] as const;

/** A way in, drawn as a node: it says when the workflow starts by itself, and gives the input to those that depend on it. */
const PASSES_INPUT: NodeBody = { kind: "action", action: "transform", value: "${input}" };

/** Reads a trigger node; what it stands for goes where `schedules` and `triggers` of the workflow go. Without `starts` it stands where nothing starts by itself. */
export function readTriggerNode({ fields }: NodeReader, id: string, starts: StartsDraft | undefined): NodeBody {
  const { report, what, map } = fields;
  if (starts === undefined) {
    const message = `${what} stands in the body of a map, which runs for each item and never by itself`;
    report.add("trigger-in-map", map.entries.get("type")?.key ?? map, message, "move it to the nodes of the workflow");
    return PASSES_INPUT;
  }
  fields.require("subtype", `one of ${SUBTYPES.join(", ")}`);
  const subtype = fields.oneOf("subtype", SUBTYPES);
  const dependencies = fields.find("dependencies");
  if (dependencies !== undefined) {
    const message = `${what} begins the workflow, and cannot wait for other nodes`;
    report.add("conflicting-fields", dependencies, message, 'remove "dependencies"');
  }
  if (subtype === undefined) return { kind: "unknown" };
  if (subtype === "webhook") {
    const message = `${what} waits for a webhook, which cannot be received yet`;
    report.add("unavailable-trigger", fields.find("subtype") ?? map, message, "let the receiver call StartExecution");
    return { kind: "unknown" };
  }
  if (subtype === "manual") {
    const given = fields.find("params");
    if (given !== undefined)
      report.add("unknown-field", given, `${what} is started by hand and takes no "params"`, "remove it");
    return PASSES_INPUT;
  }
  const example = subtype === "cron" ? '{ cron: "0 2 * * *" }' : "{ on: { workflow: nightly-report } }";
  fields.require("params", `e.g. params: ${example}`);
  const params = fields.object("params");
  if (params === undefined) return PASSES_INPUT;
  const known = subtype === "cron" ? SCHEDULE_FIELDS : TRIGGER_FIELDS;
  const inner = createFields(params, `params of ${what}`, known, report);
  if (subtype === "cron") {
    const schedule = readSchedule(inner, id);
    if (schedule !== undefined) starts.schedules.push(schedule);
  } else {
    const trigger = readTrigger(inner, id);
    if (trigger !== undefined) starts.triggers.push(trigger);
  }
  return PASSES_INPUT;
}
