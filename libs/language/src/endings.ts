import type { CompensationPolicy } from "@heddle/engine";
import { isFinally } from "./draft.ts";
import type { NodeBody, NodeDraft } from "./draft.ts";
import { createFields } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { type NodeContext, readNodeList } from "./nodes/read-node.ts";
import type { Report } from "./report.ts";

export const ENDING_FIELDS = ["compensation", "cleanup_timeout", "finally"] as const;
/** The group that runs at the end is a node of this id, which no other one can have then. */
const FINALLY_ID = "finally";

/** What the workflow says of its end. */
export interface EndingDraft {
  compensation?: CompensationPolicy;
  cleanupTimeoutMs?: number;
}

export function readEnding(workflow: Fields): EndingDraft {
  const compensation = readPolicy(workflow);
  const cleanupTimeoutMs = workflow.durationMs("cleanup_timeout");
  return {
    ...(compensation && { compensation }),
    ...(cleanupTimeoutMs !== undefined && { cleanupTimeoutMs }),
  };
}

function readPolicy(workflow: Fields): CompensationPolicy | undefined {
  const map = workflow.object("compensation");
  if (map === undefined) return undefined;
  const fields = createFields(map, '"compensation" of the workflow', ["on_cancel", "on_failure"], workflow.report);
  const onCancel = fields.boolean("on_cancel");
  const onFailure = fields.oneOf("on_failure", ["fail", "continue"]);
  return { ...(onCancel !== undefined && { onCancel }), ...(onFailure !== undefined && { onFailure }) };
}

/** `finally`: a body like that of a group, after all nodes of the workflow. */
export function readFinally(workflow: Fields, context: NodeContext): void {
  const map = workflow.object(FINALLY_ID);
  if (map === undefined) return;
  const fields = createFields(map, '"finally" of the workflow', ["nodes", "timeout"], workflow.report);
  const timeoutMs = fields.durationMs("timeout");
  const index = context.nodes.length;
  const node: NodeDraft = {
    index,
    id: FINALLY_ID,
    idAt: workflow.map.entries.get(FINALLY_ID)!.key,
    at: map,
    dependencies: [],
    body: { kind: "unknown" },
  };
  context.nodes.push(node);
  const body = readNodeList(fields, context, { container: index, depth: 1 });
  node.body = { kind: "group", body, isFinally: true, ...(timeoutMs !== undefined && { timeoutMs }) };
}

const UNDOABLE: ReadonlySet<NodeBody["kind"]> = new Set(["switch", "parallel", "aggregation"]);

/** Each step can be undone once, and where something is done at all. */
export function checkCompensations(nodes: readonly NodeDraft[], report: Report): void {
  for (const node of nodes) {
    const { compensate, body, id } = node;
    if (compensate === undefined) continue;
    if (UNDOABLE.has(body.kind)) {
      const message = `"${id}" is a ${body.kind}: it does nothing that could be undone`;
      report.add("bad-compensation", compensate.at, message, "let the nodes that do something have it");
      continue;
    }
    const around = listAround(nodes, node);
    if (around.some(isFinally)) {
      const message = `"${id}" runs at the end of the workflow, when nothing is undone any more`;
      report.add("bad-compensation", compensate.at, message, "remove it");
    }
    const outer = around.find((other) => other.compensate !== undefined);
    if (outer === undefined) continue;
    const message = `"${id}" would be undone twice: by itself, and with "${outer.id}", which it is in`;
    report.add("duplicate-compensation", compensate.at, message, "keep one of them");
  }
}

/** The groups and loops that it is in, from the inside out. */
function listAround(nodes: readonly NodeDraft[], { container }: NodeDraft): NodeDraft[] {
  const around: NodeDraft[] = [];
  for (let at = container; at !== undefined; at = nodes[at]!.container) around.push(nodes[at]!);
  return around;
}
