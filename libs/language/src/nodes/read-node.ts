import type { JsonObject } from "@heddle/engine";
import type { ExpressionUse, NodeBody, NodeDraft, StartsDraft } from "../draft.ts";
import { createFields } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { checkNodeId } from "../ids.ts";
import { MAX_DESCRIPTION_LENGTH, MAX_ID_LENGTH, MAX_NAME_LENGTH, MAX_SOURCE_BYTES } from "../limits.ts";
import type { Report } from "../report.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceMap, SourceNode } from "../source/source-node.ts";
import { readAction } from "./action.ts";
import { readAggregation } from "./aggregation.ts";
import { readParallel, readSwitch } from "./control.ts";
import { isText, readCondition, readNodeRefs } from "./reader.ts";
import type { NodeReader } from "./reader.ts";
import { readSubWorkflow } from "./sub-workflow.ts";
import { readStateMachine } from "./state-machine.ts";
import { readTriggerNode } from "./trigger.ts";
import { TASK_FIELDS, readAgent, readTool } from "./task.ts";

export interface NodeContext {
  report: Report;
  uses: ExpressionUse[];
  /** Agents that the definition declares. */
  agents: ReadonlyMap<string, JsonObject>;
  /** Where trigger nodes leave what they stand for. */
  starts: StartsDraft;
}

interface NodeType {
  what: string;
  fields: readonly string[];
  read(reader: NodeReader, id: string, context: NodeContext): NodeBody;
}

const COMMON_FIELDS = ["id", "name", "description", "type", "dependencies", "when", "join"] as const;
const NODE_TYPES = new Map<string, NodeType>([
  [
    "agent",
    {
      what: "an agent node",
      fields: ["agent", ...TASK_FIELDS],
      read: (reader, id, { agents }) => readAgent(reader, id, agents),
    },
  ],
  ["tool", { what: "a tool node", fields: ["tool", ...TASK_FIELDS], read: readTool }],
  ["action", { what: "an action", fields: ["subtype", "params"], read: readAction }],
  ["aggregation", { what: "an aggregation", fields: ["subtype", "inputs"], read: readAggregation }],
  ["sub_workflow", { what: "a sub-workflow", fields: ["workflow_id", "version", "inputs"], read: readSubWorkflow }],
  [
    "state_machine",
    {
      what: "a state machine node",
      fields: ["workflow_id", "version", "key", "context", "events"],
      read: readStateMachine,
    },
  ],
  [
    "trigger",
    {
      what: "a trigger node",
      fields: ["subtype", "params"],
      read: (reader, id, { starts }) => readTriggerNode(reader, id, starts),
    },
  ],
]);
const CONTROL_TYPES = new Map<string, NodeType>([
  ["switch", { what: "a switch", fields: ["subtype", "condition", "branches"], read: readSwitch }],
  ["parallel", { what: "a parallel", fields: ["subtype", "branches", "wait_all"], read: readParallel }],
]);
const NODE_TYPE_NAMES = [...NODE_TYPES.keys(), "control"];

/** Reads one node; undefined when it is not even an object. */
export function readNode(source: SourceNode, index: number, context: NodeContext): NodeDraft | undefined {
  const { report } = context;
  if (source.kind !== "map") {
    report.add(
      "wrong-type",
      source,
      `a node is ${describeSource(source)} where an object is expected`,
      "e.g. - { id: fetch, type: tool, tool: http_request }",
    );
    return undefined;
  }
  const type = readType(source, report);
  const what = nodeName(source, type?.what ?? "a node");
  const fields =
    type === undefined ? undefined : createFields(source, what, [...COMMON_FIELDS, ...type.fields], report);
  // Of a node whose type is unknown the common fields can be read all the same; which others it may have cannot be said.
  return readFields(fields ?? createFields(source, what, [...source.entries.keys()], report), index, type, context);
}

function readFields(fields: Fields, index: number, type: NodeType | undefined, context: NodeContext): NodeDraft {
  const { map, report } = fields;
  const idAt = fields.require("id", "every node has an id of its own");
  const id = fields.text("id", MAX_SOURCE_BYTES) ?? "";
  const isGood = idAt !== undefined && id !== "" && checkNodeId(id, idAt, report);
  const name = fields.text("name", MAX_NAME_LENGTH);
  fields.text("description", MAX_DESCRIPTION_LENGTH);
  const dependencies = readNodeRefs(fields, "dependencies", { allowSingle: false });
  const join = fields.oneOf("join", ["all", "any"]);
  const reader = { fields, owner: index, uses: context.uses };
  const whenAt = fields.find("when");
  const when = whenAt === undefined ? undefined : readCondition(reader, whenAt, `"when" of ${fields.what}`);
  return {
    index,
    id: isGood ? id : "",
    idAt: idAt ?? map,
    at: map,
    dependencies,
    body: type?.read(reader, id, context) ?? { kind: "unknown" },
    ...(name === undefined ? {} : { name }),
    ...(join === undefined ? {} : { join }),
    ...(when === undefined ? {} : { when }),
  };
}

function readType(source: SourceMap, report: Report): NodeType | undefined {
  const fields = createFields(source, nodeName(source, "a node"), [...source.entries.keys()], report);
  fields.require("type", `one of ${NODE_TYPE_NAMES.join(", ")}`);
  const name = fields.oneOf("type", NODE_TYPE_NAMES);
  if (name !== "control") return name === undefined ? undefined : NODE_TYPES.get(name);
  fields.require("subtype", "switch or parallel");
  const subtype = fields.oneOf("subtype", [...CONTROL_TYPES.keys()]);
  return subtype === undefined ? undefined : CONTROL_TYPES.get(subtype);
}

/** `a tool node "fetch"`: messages name the node, because a line number alone says little in a list of hundreds. */
function nodeName(source: SourceMap, what: string): string {
  const id = source.entries.get("id")?.value;
  return id !== undefined && isText(id) && id.value.length <= MAX_ID_LENGTH
    ? `${what.replace(/^an? /, "")} "${id.value}"`
    : what;
}
