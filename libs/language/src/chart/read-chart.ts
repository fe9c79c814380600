import { createFields } from "../fields.ts";
import { checkHeader, readHeader } from "../workflow.ts";
import type { Report } from "../report.ts";
import type { SourceMap } from "../source/source-node.ts";
import type { ChartDraft, ChartReader } from "./draft.ts";
import { optionalTemplate } from "./read-actions.ts";
import { readSubscriptions } from "./read-subscriptions.ts";
import { readContext, readInitial, readStates } from "./read-states.ts";

const CHART_FIELDS = [
  "id",
  "name",
  "description",
  "type",
  "version",
  "input",
  "input_schema",
  "output",
  "labels",
  "agents",
  "initial_state",
  "initial",
  "context",
  "binding",
  "on_unexpected_event",
  "subscribe",
  "states",
] as const;

/** Reads all fields of a state machine. */
export function readChart(workflow: SourceMap, report: Report): ChartDraft {
  const fields = createFields(workflow, "the workflow", CHART_FIELDS, report);
  checkHeader(fields);
  const header = readHeader(fields);
  const reader: ChartReader = { states: [], uses: [], assigned: new Set(), sent: new Set(), agents: header.agents };
  fields.require("states", "the states of the machine, e.g. states: [{ name: start }]");
  reader.states.push({
    index: 0,
    id: "",
    at: workflow,
    nameAt: workflow,
    parent: -1,
    kind: "compound",
    ...readInitial(fields, reader),
    transitions: [],
    onEnter: [],
    onExit: [],
    ...readContext(fields, reader),
    invocations: [],
    subscriptions: readSubscriptions(fields, reader),
  });
  readStates(fields, 0, reader);
  const { states, uses, assigned, sent } = reader;
  if (states.length === 1 && fields.list("states") !== undefined) {
    report.add("missing-field", fields.find("states") ?? workflow, "the machine has no states", "add at least one");
  }
  return {
    ...header,
    binding: fields.oneOf("binding", ["early", "late"]) ?? "early",
    unexpectedEvents: fields.oneOf("on_unexpected_event", ["drop", "refuse", "queue"]) ?? "drop",
    ...optionalTemplate(fields, reader, "output", "output"),
    states,
    uses,
    assigned,
    sent,
  };
}
