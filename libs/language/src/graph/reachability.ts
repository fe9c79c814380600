import type { NodeDraft } from "../draft.ts";
import type { Report } from "../report.ts";
import { listChoices } from "./choices.ts";
import type { Choices } from "./choices.ts";
import type { Edge, Graph } from "./graph.ts";
import { NONE, createAlgebra } from "./requirements.ts";
import type { Algebra, Requirements } from "./requirements.ts";
import { sortMoments } from "./waits.ts";
import type { Waits } from "./waits.ts";

/**
 * Finds nodes that can never run, because no switch can choose them or because they need branches that exclude each other.
 * Needs an acyclic graph.
 */
export function checkReachability(graph: Graph, waits: Waits, report: Report): void {
  const choices = new Map<number, Choices>();
  for (const node of graph.nodes) {
    if (node.body.kind === "switch") choices.set(node.index, listChoices(node, graph.indices));
  }
  const requirements = graph.nodes.map(() => NONE);
  const walk: Walk = { graph, choices, requirements, dead: new Set(), algebra: createAlgebra(), report };
  for (const moment of sortMoments(waits)) {
    // The end of what goes on in other nodes says nothing new.
    if (moment >= graph.nodes.length) continue;
    const node = graph.nodes[moment]!;
    const activation = activate(walk, node);
    if (activation !== undefined) requirements[moment] = joinDependencies(walk, node, activation);
  }
}

interface Walk {
  graph: Graph;
  choices: ReadonlyMap<number, Choices>;
  /** By node; those that come later are not known yet. */
  requirements: Requirements[];
  /** Nodes that can never run; what follows from one of them is not reported again. */
  dead: Set<number>;
  algebra: Algebra;
  report: Report;
}

/** What it takes for one of the node's activators to activate it; undefined when none ever does. */
function activate(walk: Walk, node: NodeDraft): Requirements | undefined {
  const { graph, choices, requirements, dead, algebra, report } = walk;
  const edges = graph.activators[node.index]!;
  const { container } = node;
  if (container !== undefined && dead.has(container)) {
    dead.add(node.index);
    return undefined;
  }
  const around = container === undefined ? NONE : requirements[container]!;
  if (edges.length === 0) return around;
  const alternatives: Requirements[] = [];
  for (const { from } of edges) {
    if (dead.has(from)) continue;
    const choice = choices.get(from);
    if (choice === undefined || graph.fallbacks[from]!.includes(node.index)) {
      alternatives.push(requirements[from]!);
      continue;
    }
    const branches = [...(choice.byTarget.get(node.index) ?? [])].filter((branch) => !choice.impossible.has(branch));
    if (branches.length > 0) alternatives.push(algebra.choose(requirements[from]!, from, new Set(branches)));
  }
  if (alternatives.length > 0) return alternatives.reduce(algebra.either);
  dead.add(node.index);
  const cause = edges.find(({ from }) => !dead.has(from));
  if (cause !== undefined) {
    const message = `"${node.id}" can never run: the switch "${graph.nodes[cause.from]!.id}" never chooses it`;
    const hint = "its condition or an earlier case is constant: change it, or remove this branch";
    report.add("unreachable-node", node.idAt, message, hint);
  }
  return undefined;
}

function joinDependencies(walk: Walk, node: NodeDraft, activation: Requirements): Requirements {
  const { graph, requirements, dead, algebra } = walk;
  // A condition over outcomes is met by other ends than completions.
  if (node.depends !== undefined) return activation;
  const edges = graph.dependencies[node.index]!;
  const alive = edges.filter(({ from }) => !dead.has(from));
  if (joinOf(node) === "any") {
    if (alive.length > 0) {
      return algebra.both(activation, alive.map(({ from }) => requirements[from]!).reduce(algebra.either)).joined;
    }
    if (edges.length > 0) dead.add(node.index);
    return activation;
  }
  if (alive.length < edges.length) {
    dead.add(node.index);
    return NONE;
  }
  let joined = activation;
  for (const edge of edges) {
    const { joined: next, conflict } = algebra.both(joined, requirements[edge.from]!);
    if (conflict !== undefined) {
      dead.add(node.index);
      reportExclusive(walk, node, edge, conflict);
      return NONE;
    }
    joined = next;
  }
  return joined;
}

export function joinOf(node: NodeDraft): "all" | "any" {
  return node.join ?? (node.body.kind === "aggregation" ? "any" : "all");
}

/** `theSwitch`: the one that would have to choose two branches at once. */
function reportExclusive(
  { graph, requirements, algebra, report }: Walk,
  node: NodeDraft,
  edge: Edge,
  theSwitch: number,
): void {
  const { nodes, dependencies } = graph;
  const mine = requirements[edge.from]!;
  const other = dependencies[node.index]!.find(({ from }) => {
    const theirs = requirements[from]!;
    return from !== edge.from && theirs.has(theSwitch) && algebra.both(theirs, mine).conflict === theSwitch;
  });
  const name = `"${nodes[edge.from]!.id}"`;
  const rival = other === undefined ? `"${node.id}" itself` : `"${nodes[other.from]!.id}"`;
  const reason = `the switch "${nodes[theSwitch]!.id}" chooses either ${name} or ${rival}`;
  const hint =
    other === undefined
      ? "a node cannot depend on a node of another branch"
      : "use an aggregation, or `join: any`, to go on with the one that ran";
  report.add("exclusive-join", edge.at, `"${node.id}" can never run: it needs ${name}, yet ${reason}`, hint);
}
