import type { NodeIds } from "@heddle/expression";
import { checkCatalog } from "./catalog.ts";
import { checkConditions } from "./conditions.ts";
import type { NodeDraft, WorkflowDraft } from "./draft.ts";
import { checkCompensations } from "./endings.ts";
import { checkExpressions, visibleIds } from "./expressions/check-expressions.ts";
import type { FoundReference } from "./expressions/found-reference.ts";
import { itemNames } from "./expressions/outward.ts";
import { checkBodies, createBudget } from "./graph/bodies.ts";
import type { Budget } from "./graph/bodies.ts";
import { checkCycles } from "./graph/cycles.ts";
import { buildGraph, indexNodes } from "./graph/graph.ts";
import type { Graph } from "./graph/graph.ts";
import { checkReachability } from "./graph/reachability.ts";
import { buildWaits } from "./graph/waits.ts";
import type { Waits } from "./graph/waits.ts";
import { MAX_ITEM_WORKFLOW_LENGTH } from "./limits.ts";
import type { CompileDefinitionOptions } from "./options.ts";
import type { ItemBody } from "./plan.ts";
import type { Report } from "./report.ts";

/** The nodes of a workflow, or of the body of a map, with everything looked up that they name. */
export interface CompiledNodes {
  graph: Graph;
  waits: Waits;
  /** Of its maps, by node. */
  bodies: ReadonlyMap<number, ItemBody>;
  /** Of the body of a map: what it reads around the map. */
  outward: FoundReference[];
}

/** Checks all that can be said of nodes, from the inside out: what a body reads around its map, the map waits for. */
export function compileNodes(
  workflow: WorkflowDraft,
  source: string,
  options: CompileDefinitionOptions,
  report: Report,
  budget: Budget = createBudget(),
): CompiledNodes {
  const indices = indexNodes(workflow.nodes, report);
  const graph = buildGraph(workflow, indices, report);
  const ids = visibleIds(workflow);
  checkItemNames(workflow, ids, report);
  const bodies = new Map<number, ItemBody>();
  const ofBodies: FoundReference[] = [];
  for (const node of workflow.nodes) {
    const body = itemWorkflow(workflow, ids, node);
    if (body === undefined) continue;
    checkIds(body, node, report);
    const compiled = compileNodes(body, source, options, report, budget);
    const outward = compiled.outward.flatMap((found) => found.outward ?? []);
    bodies.set(node.index, { workflow: body, graph: compiled.graph, outward, bodies: compiled.bodies });
    for (const found of compiled.outward) ofBodies.push({ ...found, owner: node.index });
  }
  const outward = checkExpressions(workflow, graph, ids, source, report, ofBodies);
  checkConditions(workflow, report);
  checkBodies(graph, budget, report);
  checkCompensations(workflow.nodes, report);
  checkCatalog(workflow, options, report);
  const waits = buildWaits(graph);
  if (checkCycles(graph, waits, report)) checkReachability(graph, waits, report);
  return { graph, waits, bodies, outward };
}

/** The body of a map as the workflow that its items run. */
function itemWorkflow(around: WorkflowDraft, aroundIds: NodeIds, { id, body }: NodeDraft): WorkflowDraft | undefined {
  if (body.kind !== "map" || body.itemBody === undefined) return undefined;
  const itemName = body.itemName ?? "item";
  // Inside they mean the item, also where a node around is called so.
  const names = itemNames(itemName);
  return {
    ...body.itemBody,
    id: `${around.id}.${id}`,
    agents: around.agents,
    starts: { schedules: [], triggers: [] },
    interactions: { updates: [], queries: [] },
    item: { itemName, outerIds: { has: (name) => !names.includes(name) && aroundIds.has(name) } },
    // Items are kept as long as the execution that they are of.
    ...(around.retentionMs !== undefined && { retentionMs: around.retentionMs }),
    // What the workflow says of undoing is said of all of its steps.
    ...(around.compensation !== undefined && { compensation: around.compensation }),
    ...(around.cleanupTimeoutMs !== undefined && { cleanupTimeoutMs: around.cleanupTimeoutMs }),
  };
}

/** An expression could not say which of the two it means, and would be given the one or the other by where it stands. */
function checkItemNames({ nodes }: WorkflowDraft, ids: NodeIds, report: Report): void {
  for (const { id, idAt, at, body } of nodes) {
    if (body.kind !== "map" && (body.kind !== "loop" || body.forEach === undefined)) continue;
    const asAt = at.entries.get("as")?.value;
    const { itemName = "item" } = body;
    // A bad name has been reported.
    if (!ids.has(itemName) || (asAt !== undefined && body.itemName === undefined)) continue;
    const message = `the items of "${id}" are called "${itemName}", and so is a node`;
    const hint = `e.g. as: ${itemName === "item" ? "each" : `one_${itemName}`}, or give the node another id`;
    report.add("shadowed-id", asAt ?? idAt, message, hint);
  }
}

function checkIds({ id: workflowId, nodes, item }: WorkflowDraft, map: NodeDraft, report: Report): void {
  if (workflowId.length > MAX_ITEM_WORKFLOW_LENGTH) {
    const message = `what the items of "${map.id}" run would have a name of ${workflowId.length} characters`;
    report.add(
      "long-item-workflow",
      map.idAt,
      message,
      `at most ${MAX_ITEM_WORKFLOW_LENGTH}: give the maps shorter ids`,
    );
  }
  if (item === undefined) return;
  for (const { id, idAt } of nodes) {
    if (id === "") continue;
    if (itemNames(item.itemName).includes(id)) {
      const message = `"${id}" is also what the body of "${map.id}" calls ${id === "index" ? "the item's index" : "its item"}`;
      report.add("shadowed-id", idAt, message, "give the node another id");
    } else if (item.outerIds.has(id)) {
      const message = `there is a node "${id}" around the map "${map.id}", which its body may read`;
      report.add("shadowed-id", idAt, message, "give this one another id");
    }
  }
}
