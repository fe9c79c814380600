import type { Json } from "@heddle/engine";
import type { NodeBody } from "../draft.ts";
import { createFields } from "../fields.ts";
import { checkId } from "../ids.ts";
import { MAX_ID_LENGTH, MAX_MACHINE_EVENTS } from "../limits.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceNode } from "../source/source-node.ts";
import { readTemplate, rejectExpression } from "./reader.ts";
import type { NodeReader } from "./reader.ts";

/** A node that creates a state machine, sends it events and waits for its end. */
export function readStateMachine(reader: NodeReader): NodeBody {
  const { fields } = reader;
  const workflowAt = fields.require("workflow_id", "the id of the state machine to create");
  const workflowId = fields.text("workflow_id", MAX_ID_LENGTH) ?? "";
  if (workflowAt !== undefined && workflowId !== "")
    checkId(workflowId, workflowAt, "the id of a workflow", fields.report);
  const version = fields.integer("version", { min: 1, max: 2_147_483_647 });
  const key = readTemplate(reader, "key");
  const context = readTemplate(reader, "context");
  const eventsAt = fields.find("events");
  return {
    kind: "state_machine",
    workflowId,
    ...(workflowAt === undefined ? {} : { workflowAt }),
    ...(version === undefined ? {} : { version }),
    ...(key === undefined ? {} : { key: key.value }),
    ...(context === undefined ? {} : { context: context.value }),
    events: eventsAt === undefined ? [] : readEvents(reader, eventsAt),
  };
}

function readEvents(reader: NodeReader, at: SourceNode): { event: string; data?: Json }[] {
  const { report, what } = reader.fields;
  if (at.kind !== "list") {
    const message = `"events" of ${what} is ${describeSource(at)} where a list of events is expected`;
    report.add("wrong-type", at, message, "e.g. events: [{ event: paid, data: { amount: 5 } }]");
    return [];
  }
  if (at.items.length > MAX_MACHINE_EVENTS) {
    const message = `"events" of ${what} has ${at.items.length} entries, and at most ${MAX_MACHINE_EVENTS} are allowed`;
    report.add("out-of-range", at, message, "send the others while the machine runs");
    return [];
  }
  return at.items.flatMap((item) => readEvent(reader, item));
}

function readEvent(reader: NodeReader, item: SourceNode): { event: string; data?: Json }[] {
  const { report, what } = reader.fields;
  if (item.kind !== "map") {
    const message = `"events" of ${what} holds ${describeSource(item)} where an event is expected`;
    report.add("wrong-type", item, message, "e.g. - { event: paid, data: { amount: 5 } }");
    return [];
  }
  const fields = createFields(item, `an event of ${what}`, ["event", "data"], report);
  fields.require("event", "the name of the event");
  rejectExpression(fields, "event", "choose between nodes with `when`");
  const event = fields.text("event", MAX_ID_LENGTH);
  const data = readTemplate({ ...reader, fields }, "data");
  return event === undefined || event === "" ? [] : [{ event, ...(data === undefined ? {} : { data: data.value }) }];
}
