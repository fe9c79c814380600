import type { JsonObject } from "@heddle/engine";
import type { CompensationDraft, NodeBody } from "../draft.ts";
import { createFields } from "../fields.ts";
import { readAction } from "./action.ts";
import type { NodeReader } from "./reader.ts";
import { readSubWorkflow } from "./sub-workflow.ts";
import { TASK_FIELDS, readAgent, readTool } from "./task.ts";

interface CompensationType {
  /** The field that tells it. */
  mark: string;
  fields: readonly string[];
  read(reader: NodeReader, id: string, agents: ReadonlyMap<string, JsonObject>): NodeBody;
}

const TYPES = {
  tool: { mark: "tool", fields: ["tool", ...TASK_FIELDS], read: readTool },
  agent: { mark: "agent", fields: ["agent", ...TASK_FIELDS], read: readAgent },
  sub_workflow: { mark: "workflow_id", fields: ["workflow_id", "version", "inputs"], read: readSubWorkflow },
  action: { mark: "subtype", fields: ["subtype", "params"], read: readAction },
} as const satisfies Record<string, CompensationType>;

type TypeName = keyof typeof TYPES;
const TYPE_NAMES = Object.keys(TYPES) as TypeName[];
/** Actions that can undo something: the others steer the workflow, which is over then. */
const ACTIONS: ReadonlySet<string> = new Set(["set", "log", "emit"]);
const EXAMPLE = 'e.g. compensate: { tool: cancel_booking, inputs: { id: "${current.id}" } }';

/** `compensate`: what undoes the node once it has completed. A node without id, dependencies and handlers; its `type` may be left out. */
export function readCompensate(
  node: NodeReader,
  id: string,
  agents: ReadonlyMap<string, JsonObject>,
): CompensationDraft | undefined {
  const { report, what } = node.fields;
  const map = node.fields.object("compensate");
  if (map === undefined) return undefined;
  const name = `the compensation of ${what}`;
  const anything = createFields(map, name, [...map.entries.keys()], report);
  const given = map.entries.has("type") ? anything.oneOf("type", TYPE_NAMES) : undefined;
  const inferred = TYPE_NAMES.find((type) => map.entries.has(TYPES[type].mark));
  const type = given ?? inferred;
  if (type === undefined) {
    if (!map.entries.has("type")) report.add("missing-field", map, `${name} says nothing to do`, EXAMPLE);
    return undefined;
  }
  const fields = createFields(map, name, ["type", ...TYPES[type].fields], report);
  const reader: NodeReader = { ...node, fields, marks: { names: ["current"] } };
  const body = TYPES[type].read(reader, id, agents);
  if (body.kind === "action" && !ACTIONS.has(body.action)) {
    const at = map.entries.get("subtype")?.value ?? map;
    const message = `the action ${body.action} cannot undo ${what}`;
    report.add("bad-compensation", at, message, "use set, log or emit, a tool, an agent or a sub-workflow");
    return undefined;
  }
  return { body, at: node.fields.map.entries.get("compensate")!.key };
}
