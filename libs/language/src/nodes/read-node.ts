import type { JsonObject } from "@heddle/engine";
import type { ExpressionUse, ItemBodyDraft, NodeBody, NodeDraft, StartsDraft } from "../draft.ts";
import { createFields } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { checkNodeId } from "../ids.ts";
import {
  MAX_DESCRIPTION_LENGTH,
  MAX_ID_LENGTH,
  MAX_NAME_LENGTH,
  MAX_NESTING,
  MAX_NODES,
  MAX_SOURCE_BYTES,
} from "../limits.ts";
import type { Report } from "../report.ts";
import { createScalarLocator } from "../source/locate.ts";
import { describeSource } from "../source/source-node.ts";
import type { SourceMap, SourceNode } from "../source/source-node.ts";
import { readAction } from "./action.ts";
import { readAggregation } from "./aggregation.ts";
import { GROUP_FIELDS, LOOP_FIELDS, readGroup, readLoop } from "./body.ts";
import type { ReadBody } from "./body.ts";
import { readCompensate } from "./compensate.ts";
import { readParallel, readSwitch } from "./control.ts";
import { HUMAN_FIELDS, readHuman } from "./human.ts";
import { isText, readCondition, readNodeRefs, readTemplate } from "./reader.ts";
import type { NodeReader } from "./reader.ts";
import { readDepends } from "./depends.ts";
import { MAP_FIELDS, readMap } from "./map.ts";
import type { ReadItemBody } from "./map.ts";
import { readOnError } from "./on-error.ts";
import { readSubWorkflow } from "./sub-workflow.ts";
import { readStateMachine } from "./state-machine.ts";
import { readTriggerNode } from "./trigger.ts";
import { TASK_FIELDS, readAgent, readTool } from "./task.ts";

export interface NodeContext {
  report: Report;
  /** The whole definition, in which parts of texts are located. */
  source: string;
  /** All that have been read, in the order of the document; those of a body follow their group or loop. */
  nodes: NodeDraft[];
  uses: ExpressionUse[];
  /** Agents that the definition declares. */
  agents: ReadonlyMap<string, JsonObject>;
  /** Where trigger nodes leave what they stand for. */
  starts: StartsDraft;
  /** Nodes of the whole definition that have been read, those of the bodies of maps included. */
  total: { nodes: number };
  /** They are in the body of a map. */
  isItem?: true;
}

interface BodyReaders {
  readBody: ReadBody;
  readItemBody: ReadItemBody;
}

interface NodeType {
  what: string;
  fields: readonly string[];
  read(reader: NodeReader, id: string, context: NodeContext, inside: BodyReaders): NodeBody;
}

const COMMON_FIELDS = [
  "id",
  "name",
  "description",
  "type",
  "dependencies",
  "depends",
  "when",
  "join",
  "on_error",
  "compensate",
] as const;
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
  [
    "sub_workflow",
    {
      what: "a sub-workflow",
      fields: ["workflow_id", "version", "inputs", "detached", "on_parent_close"],
      read: readSubWorkflow,
    },
  ],
  [
    "state_machine",
    {
      what: "a state machine node",
      fields: ["workflow_id", "version", "key", "context", "events"],
      read: readStateMachine,
    },
  ],
  ["human", { what: "a human node", fields: HUMAN_FIELDS, read: readHuman }],
  [
    "trigger",
    {
      what: "a trigger node",
      fields: ["subtype", "params"],
      read: (reader, id, { starts, isItem }) => readTriggerNode(reader, id, isItem ? undefined : starts),
    },
  ],
]);
const CONTROL_TYPES = new Map<string, NodeType>([
  ["switch", { what: "a switch", fields: ["subtype", "condition", "branches"], read: readSwitch }],
  [
    "parallel",
    { what: "a parallel", fields: ["subtype", "branches", "wait_all", "need", "cancel_rest"], read: readParallel },
  ],
  [
    "map",
    {
      what: "a map",
      fields: MAP_FIELDS,
      read: (reader, _id, _context, { readItemBody }) => readMap(reader, readItemBody),
    },
  ],
  [
    "group",
    {
      what: "a group",
      fields: GROUP_FIELDS,
      read: (reader, _id, _context, { readBody }) => readGroup(reader, readBody),
    },
  ],
  [
    "loop",
    { what: "a loop", fields: LOOP_FIELDS, read: (reader, _id, _context, { readBody }) => readLoop(reader, readBody) },
  ],
]);
const NODE_TYPE_NAMES = [...NODE_TYPES.keys(), "control"];

/** Where a node stands: how deep in groups and loops, and in which. */
interface Place {
  container?: number;
  depth: number;
}

/** Reads the nodes of the workflow, or of a group or loop. @returns their indices */
export function readNodeList(fields: Fields, context: NodeContext, place: Place): number[] {
  const { report, nodes, total } = context;
  const hint = "the steps, e.g. nodes: [{ id: fetch, type: tool, tool: http_request }]";
  fields.require("nodes", hint);
  const list = fields.list("nodes");
  if (list === undefined) return [];
  if (list.items.length === 0) report.add("missing-field", list, `${fields.what} has no nodes`, "add at least one");
  if (place.depth > MAX_NESTING) {
    const message = `${fields.what} is nested ${place.depth} deep; ${MAX_NESTING} are allowed`;
    report.add("nested-too-deep", list, message, "make a sub-workflow of what is inside");
    return [];
  }
  const own: number[] = [];
  for (const item of list.items) {
    if (total.nodes >= MAX_NODES) {
      const message = `the workflow has more than ${MAX_NODES} nodes`;
      report.add("too-many-nodes", item, message, "split it into sub-workflows");
      break;
    }
    const index = nodes.length;
    if (readNode(item, context, place)) own.push(index);
  }
  return own;
}

/** Reads one node, and those inside of it. @returns whether it is an object at all */
function readNode(source: SourceNode, context: NodeContext, place: Place): boolean {
  const { report } = context;
  if (source.kind !== "map") {
    report.add(
      "wrong-type",
      source,
      `a node is ${describeSource(source)} where an object is expected`,
      "e.g. - { id: fetch, type: tool, tool: http_request }",
    );
    return false;
  }
  const type = readType(source, report);
  const what = nodeName(source, type?.what ?? "a node");
  const fields =
    type === undefined ? undefined : createFields(source, what, [...COMMON_FIELDS, ...type.fields], report);
  // Of a node whose type is unknown the common fields can be read all the same; which others it may have cannot be said.
  readFields(fields ?? createFields(source, what, [...source.entries.keys()], report), type, context, place);
  return true;
}

function readFields(fields: Fields, type: NodeType | undefined, context: NodeContext, place: Place): void {
  const { map, report } = fields;
  const { nodes, source } = context;
  const index = nodes.length;
  const idAt = fields.require("id", "every node has an id of its own");
  const id = fields.text("id", MAX_SOURCE_BYTES) ?? "";
  const isGood = idAt !== undefined && id !== "" && checkNodeId(id, idAt, report);
  const name = fields.text("name", MAX_NAME_LENGTH);
  fields.text("description", MAX_DESCRIPTION_LENGTH);
  const dependencies = readNodeRefs(fields, "dependencies", { allowSingle: false });
  const join = fields.oneOf("join", ["all", "any"]);
  const reader = { fields, owner: index, uses: context.uses };
  const depends = readDepends(fields, (scalar) => createScalarLocator(source, scalar));
  const onError = readOnError(reader);
  const compensate = readCompensate(reader, id, context.agents);
  const whenAt = fields.find("when");
  const when = whenAt === undefined ? undefined : readCondition(reader, whenAt, `"when" of ${fields.what}`);
  const node: NodeDraft = {
    index,
    id: isGood ? id : "",
    idAt: idAt ?? map,
    at: map,
    dependencies,
    body: { kind: "unknown" },
    ...(place.container === undefined ? {} : { container: place.container }),
    ...(depends === undefined ? {} : { depends: depends.depends, dependsAt: depends.at }),
    ...(onError === undefined ? {} : { onError }),
    ...(compensate === undefined ? {} : { compensate }),
    ...(name === undefined ? {} : { name }),
    ...(join === undefined ? {} : { join }),
    ...(when === undefined ? {} : { when }),
  };
  // Before its body is read: what is inside comes after it.
  nodes.push(node);
  context.total.nodes += 1;
  const inside = { container: index, depth: place.depth + 1 };
  if (type !== undefined) {
    node.body = type.read(reader, id, context, {
      readBody: ({ fields: own }) => readNodeList(own, context, inside),
      readItemBody: ({ fields: own }) => readItemBody(own, context, inside.depth),
    });
  }
  checkConditionFields(fields);
}

/** The body of a map: its nodes are a list of their own, and so are its expressions. */
function readItemBody(fields: Fields, context: NodeContext, depth: number): ItemBodyDraft {
  const inner: NodeContext = { ...context, nodes: [], uses: [], isItem: true };
  readNodeList(fields, inner, { depth });
  const output = readTemplate({ fields, uses: inner.uses }, "output");
  return { nodes: inner.nodes, uses: inner.uses, ...(output && { output: output.value }) };
}

/** `depends` says everything about other nodes that `dependencies` and `join` could say. */
function checkConditionFields({ map, report, what }: Fields): void {
  const depends = map.entries.get("depends");
  for (const name of ["dependencies", "join"]) {
    const other = map.entries.get(name);
    if (depends === undefined || other === undefined) continue;
    const message = `${what} has both "depends" and "${name}"`;
    report.add(
      "conflicting-fields",
      other.key,
      message,
      "write all of it in depends, e.g. depends: a.succeeded && b.settled",
    );
  }
}

function readType(source: SourceMap, report: Report): NodeType | undefined {
  const fields = createFields(source, nodeName(source, "a node"), [...source.entries.keys()], report);
  fields.require("type", `one of ${NODE_TYPE_NAMES.join(", ")}`);
  const name = fields.oneOf("type", NODE_TYPE_NAMES);
  if (name !== "control") return name === undefined ? undefined : NODE_TYPES.get(name);
  fields.require("subtype", `one of ${[...CONTROL_TYPES.keys()].join(", ")}`);
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
