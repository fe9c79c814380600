import type { Outcome } from "@heddle/engine";
import type { DependsDraft, DependsRef, NodeDraft } from "../draft.ts";
import { dependsRefs } from "../draft.ts";
import type { Report } from "../report.ts";
import type { Graph } from "./graph.ts";

/** What can be said of loops and conditions over outcomes before anything runs. */
export function checkBodies(graph: Graph, budget: Budget, report: Report): void {
  const loopsWithBreak = new Set<number>();
  for (const node of graph.nodes) {
    if (node.body.kind === "action" && node.body.action === "break") checkBreak(graph, node, loopsWithBreak, report);
  }
  for (const node of graph.nodes) {
    checkBound(node, loopsWithBreak, report);
    if (node.depends === undefined) continue;
    const ofMaps = listOutcomes(node.depends).filter(({ outcome }) => OUTCOMES_OF_MAPS.has(outcome));
    for (const { ref, outcome } of ofMaps) checkIsMap(graph, ref, outcome, report);
    if (ofMaps.length === 0) checkDepends(node, budget, report);
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

/** Outcomes that all conditions of a definition look at together; beyond them nothing is said. */
const MAX_LOOKS = 1_000_000;

/** One for a definition, bodies of maps and all. */
export interface Budget {
  looks: number;
}

export function createBudget(): Budget {
  return { looks: MAX_LOOKS };
}

/** Tries all outcomes of the nodes that the condition names. */
function checkDepends({ id, depends, dependsAt }: NodeDraft, budget: Budget, report: Report): void {
  if (depends === undefined || dependsAt === undefined) return;
  const refs = dependsRefs(depends);
  const ids = [...new Set(refs.map((ref) => ref.id))];
  if (ids.length > MAX_TRIED) return;
  const outcomes = new Map<string, Outcome>();
  const canHold = (at: number): boolean => {
    const named = ids[at];
    if (named === undefined) {
      budget.looks -= refs.length;
      return budget.looks < 0 || holds(depends, outcomes);
    }
    return OUTCOMES.some((outcome) => {
      outcomes.set(named, outcome);
      return canHold(at + 1);
    });
  };
  if (canHold(0)) return;
  report.add(
    "depends-never",
    dependsAt,
    `"${id}" can never run: its depends cannot hold`,
    "e.g. a node has one outcome only",
  );
}

function holds(condition: DependsDraft, outcomes: ReadonlyMap<string, Outcome>): boolean {
  if ("ref" in condition)
    return condition.outcome === "settled" || outcomes.get(condition.ref.id) === condition.outcome;
  if ("not" in condition) return !holds(condition.not, outcomes);
  return "all" in condition
    ? condition.all.every((part) => holds(part, outcomes))
    : condition.any.some((part) => holds(part, outcomes));
}
