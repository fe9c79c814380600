import { didYouMean } from "@heddle/expression";
import type { WorkflowDraft } from "../draft.ts";
import type { Graph } from "../graph/graph.ts";
import { listInnerIds, reportInner } from "../graph/inner-ids.ts";
import type { Report } from "../report.ts";

/** What updates name must be there, and must end once only. */
export function checkInteractions({ interactions }: WorkflowDraft, graph: Graph, report: Report): void {
  const innerIds = listInnerIds(graph.nodes);
  for (const { after } of interactions.updates) {
    if (after === undefined) continue;
    const index = graph.indices.get(after.id);
    const mapId = index === undefined ? innerIds.get(after.id) : undefined;
    if (mapId !== undefined) {
      reportInner(after.id, mapId, after.at, report);
      continue;
    }
    if (index === undefined) {
      const hint = (): string => didYouMean(after.id, graph.indices.keys()) ?? "name a node of the workflow";
      report.add("unknown-node", after.at, `there is no node "${after.id}"`, hint);
      continue;
    }
    for (let at = graph.nodes[index]!.container; at !== undefined; at = graph.nodes[at]!.container) {
      if (graph.nodes[at]!.body.kind !== "loop") continue;
      const message = `"${after.id}" is in the loop "${graph.nodes[at]!.id}" and ends once in each turn`;
      report.add("after-in-loop", after.at, message, `wait for "${graph.nodes[at]!.id}" itself`);
      break;
    }
  }
}
