import type { Outcome } from "@heddle/engine";
import type { DependsDraft, DependsRef, NodeDraft } from "../draft.ts";
import { dependsRefs } from "../draft.ts";
import type { Report } from "../report.ts";
import type { Graph } from "./graph.ts";

/** What can be said of loops and conditions over outcomes before anything runs. */
export function checkBodies(graph: Graph, report: Report): void {
  const loopsWithBreak = new Set<number>();
  for (const node of graph.nodes) {
    if (node.body.kind === "action" && node.body.action === "break") checkBreak(graph, node, loopsWithBreak, report);
  }
  for (const node of graph.nodes) {
    checkBound(node, loopsWithBreak, report);
    if (node.depends === undefined) continue;
    const ofMaps = listOutcomes(node.depends).filter(({ outcome }) => OUTCOMES_OF_MAPS.has(outcome));
    for (const { ref, outcome } of ofMaps) checkIsMap(graph, ref, outcome, report);
    if (ofMaps.length === 0) checkDepends(node, report);
  }
}

function checkBreak({ nodes }: Graph, node: NodeDraft, loopsWithBreak: Set<number>, report: Report): void {
  for (let at = node.container; at !== undefined; at = nodes[at]!.container) {
    if (nodes[at]!.body.kind !== "loop") continue;
    loopsWithBreak.add(at);
    return;
  }
  report.add(
    "outside-loop",
    node.idAt,
    `"${node.id}" breaks a loop, and stands in none`,
    "move it into the nodes of a loop",
  );
}

function checkBound({ index, id, idAt, body }: NodeDraft, loopsWithBreak: ReadonlySet<number>, report: Report): void {
  if (body.kind !== "loop") return;
  if (body.forEach !== undefined || body.while !== undefined || body.until !== undefined) return;
  if (loopsWithBreak.has(index)) return;
  const hint = "add for_each, while or until; or a break inside";
  report.add("unbounded-loop", idAt, `nothing ends the loop "${id}" but its limit of turns`, hint);
}

/** Only maps have them, beside their own: they say how their items ended. */
const OUTCOMES_OF_MAPS: ReadonlySet<Outcome> = new Set<Outcome>(["any_succeeded", "all_failed"]);

function checkIsMap({ nodes, indices }: Graph, ref: DependsRef, outcome: Outcome, report: Report): void {
  const index = indices.get(ref.id);
  if (index === undefined || nodes[index]!.body.kind === "map") return;
  report.add(
    "bad-depends",
    ref.at,
    `"${ref.id}" is no map, so it has no "${outcome}"`,
    "e.g. succeeded, failed or settled",
  );
}

function listOutcomes(condition: DependsDraft): { ref: DependsRef; outcome: Outcome }[] {
  if ("ref" in condition) return [condition];
  if ("not" in condition) return listOutcomes(condition.not);
  return ("all" in condition ? condition.all : condition.any).flatMap(listOutcomes);
}

const OUTCOMES = ["succeeded", "failed", "skipped", "canceled"] as const satisfies readonly Outcome[];
/** Nodes of a condition whose outcomes are tried together. */
const MAX_TRIED = 6;

/** Tries all outcomes of the nodes that the condition names. */
function checkDepends({ id, depends, dependsAt }: NodeDraft, report: Report): void {
  if (depends === undefined || dependsAt === undefined) return;
  const ids = [...new Set(dependsRefs(depends).map((ref) => ref.id))];
  if (ids.length > MAX_TRIED || canHold(depends, ids, new Map())) return;
  report.add(
    "depends-never",
    dependsAt,
    `"${id}" can never run: its depends cannot hold`,
    "e.g. a node has one outcome only",
  );
}

function canHold(condition: DependsDraft, ids: readonly string[], outcomes: Map<string, Outcome>): boolean {
  const id = ids[outcomes.size];
  if (id === undefined) return holds(condition, outcomes);
  return OUTCOMES.some((outcome) => canHold(condition, ids, new Map([...outcomes, [id, outcome]])));
}

function holds(condition: DependsDraft, outcomes: ReadonlyMap<string, Outcome>): boolean {
  if ("ref" in condition)
    return condition.outcome === "settled" || outcomes.get(condition.ref.id) === condition.outcome;
  if ("not" in condition) return !holds(condition.not, outcomes);
  return "all" in condition
    ? condition.all.every((part) => holds(part, outcomes))
    : condition.any.some((part) => holds(part, outcomes));
}
