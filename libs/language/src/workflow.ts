import type { JsonObject } from "@heddle/engine";
import type { ExpressionUse, NodeDraft, WorkflowDraft } from "./draft.ts";
import { ENDING_FIELDS, readEnding, readFinally } from "./endings.ts";
import { createFields, jsonObjectOf } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { checkId } from "./ids.ts";
import { MAX_DESCRIPTION_LENGTH, MAX_LABELS, MAX_NAME_LENGTH, MAX_SOURCE_BYTES } from "./limits.ts";
import { readNodeList } from "./nodes/read-node.ts";
import { isText, readTemplate } from "./nodes/reader.ts";
import type { Report } from "./report.ts";
import { checkSchema } from "./schema.ts";
import { readInteractions } from "./interactions/read-interactions.ts";
import { readStarts } from "./starts/read-starts.ts";
import { readWorkflowHandlers } from "./workflow-handlers.ts";
import { describeSource } from "./source/source-node.ts";
import type { SourceMap, SourceNode } from "./source/source-node.ts";

const WORKFLOW_FIELDS = [
  "id",
  "name",
  "description",
  "type",
  "version",
  "input",
  "input_schema",
  "output",
  "timeout",
  "retention",
  "priority",
  "labels",
  "agents",
  "schedules",
  "triggers",
  "updates",
  "queries",
  "nodes",
  "on_error",
  ...ENDING_FIELDS,
] as const;

/** Reads all fields of a workflow of nodes. */
export function readWorkflow(workflow: SourceMap, source: string, report: Report): WorkflowDraft {
  const fields = createFields(workflow, "the workflow", WORKFLOW_FIELDS, report);
  checkHeader(fields);
  const header = readHeader(fields);
  const uses: ExpressionUse[] = [];
  const output = fields.find("output") === undefined ? undefined : readTemplate({ fields, uses }, "output");
  const timeoutMs = fields.durationMs("timeout");
  const retentionMs = fields.durationMs("retention");
  const priority = fields.integer("priority", { min: 0, max: 9 });
  const starts = readStarts(fields);
  const interactions = readInteractions(fields, uses);
  const onError = readWorkflowHandlers(fields, uses);
  const nodes: NodeDraft[] = [];
  const context = { report, source, uses, nodes, agents: header.agents, starts, total: { nodes: 0 } };
  readNodeList(fields, context, { depth: 0 });
  readFinally(fields, context);
  return {
    ...header,
    uses,
    starts,
    interactions,
    nodes,
    ...readEnding(fields),
    ...(onError === undefined ? {} : { onError }),
    ...(output === undefined ? {} : { output: output.value }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(priority === undefined ? {} : { priority }),
  };
}

export type Header = Pick<WorkflowDraft, "id" | "name" | "description" | "labels" | "inputSchema" | "agents">;

/** The fields that workflows of nodes and state machines have in common. */
export function readHeader(fields: Fields): Header {
  const id = fields.text("id", MAX_SOURCE_BYTES) ?? "";
  const labels = readLabels(fields);
  const agents = readAgents(fields);
  const inputSchema = readInputSchema(fields);
  const name = fields.text("name", MAX_NAME_LENGTH);
  const description = fields.text("description", MAX_DESCRIPTION_LENGTH);
  return {
    id,
    agents,
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined ? {} : { labels }),
    ...(inputSchema === undefined ? {} : { inputSchema }),
  };
}

export function checkHeader(fields: Fields): void {
  const idAt = fields.require("id", "e.g. id: order-flow");
  const id = fields.text("id", MAX_SOURCE_BYTES) ?? "";
  if (idAt !== undefined && id !== "") checkId(id, idAt, "the id of a workflow", fields.report);
  fields.require("type", "type: dag, or type: state_machine");
  fields.oneOf("type", ["dag", "state_machine"]);
  checkVersion(fields);
}

export function isStateMachine(workflow: SourceMap): boolean {
  const type = workflow.entries.get("type")?.value;
  return type !== undefined && isText(type) && type.value === "state_machine";
}

/** Undefined when there is no workflow that could be read on. */
export function findWorkflow(root: SourceNode, report: Report): SourceMap | undefined {
  if (root.kind !== "map") {
    report.add(
      "wrong-type",
      root,
      `the definition is ${describeSource(root)} where an object is expected`,
      "it begins with `workflow:`",
    );
    return undefined;
  }
  const fields = createFields(root, "the definition", ["workflow"], report);
  return fields.require("workflow", "everything stands under `workflow:`") === undefined
    ? undefined
    : fields.object("workflow");
}

/** A label for people: versions are numbered by the service that stores them. */
function checkVersion(fields: Fields): void {
  const at = fields.find("version");
  if (at !== undefined && at.kind !== "scalar") {
    fields.report.add(
      "wrong-type",
      at,
      `"version" of the workflow is ${describeSource(at)} where text is expected`,
      'e.g. version: "1.2"',
    );
  }
}

function readLabels(fields: Fields): Record<string, string> | undefined {
  const map = fields.object("labels");
  if (map === undefined) return undefined;
  const labels: [name: string, value: string][] = [];
  if (map.entries.size > MAX_LABELS)
    fields.report.add("out-of-range", map, `the workflow has ${map.entries.size} labels`, `at most ${MAX_LABELS}`);
  for (const { name, key, value } of map.entries.values()) {
    if (!isText(value)) {
      fields.report.add(
        "wrong-type",
        value,
        `the label "${name}" is ${describeSource(value)} where text is expected`,
        "put quotes around it",
      );
      continue;
    }
    labels.push([name, value.value]);
    if (value.value.length > MAX_NAME_LENGTH || name.length > MAX_NAME_LENGTH) {
      fields.report.add(
        "out-of-range",
        key,
        "a label is too long",
        `name and value have at most ${MAX_NAME_LENGTH} characters`,
      );
    }
  }
  return Object.fromEntries(labels);
}

/** `input: { schema }` or `input_schema`. */
function readInputSchema(fields: Fields): JsonObject | undefined {
  const input = fields.object("input");
  const inner =
    input === undefined
      ? undefined
      : createFields(input, '"input" of the workflow', ["schema"], fields.report).object("schema");
  const outer = fields.object("input_schema");
  if (inner !== undefined && outer !== undefined) {
    fields.report.add(
      "conflicting-fields",
      outer,
      'the workflow has both "input" and "input_schema"',
      "keep one of them",
    );
  }
  const map = inner ?? outer;
  if (map === undefined) return undefined;
  return checkSchema(map, "the schema of the input", fields.report) ? jsonObjectOf(map) : undefined;
}

function readAgents(fields: Fields): Map<string, JsonObject> {
  const agents = new Map<string, JsonObject>();
  const { report } = fields;
  for (const item of fields.list("agents")?.items ?? []) {
    if (item.kind !== "map") {
      report.add(
        "wrong-type",
        item,
        `an agent is ${describeSource(item)} where an object is expected`,
        "e.g. - { id: classifier, provider: openai, model: ..., prompt: ... }",
      );
      continue;
    }
    const agent = createFields(item, "an agent", [...item.entries.keys()], report);
    const idAt = agent.require("id", "nodes name the agent by it");
    const id = agent.text("id", MAX_SOURCE_BYTES);
    if (idAt === undefined || id === undefined || !checkId(id, idAt, "the id of an agent", report)) continue;
    if (agents.has(id)) report.add("duplicate-id", idAt, `there are two agents "${id}"`, "give one of them another id");
    agents.set(id, jsonObjectOf(item));
  }
  return agents;
}
