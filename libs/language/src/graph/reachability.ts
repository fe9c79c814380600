import type { NodeDraft } from "../draft.ts";
import type { Report } from "../report.ts";
import { listChoices } from "./choices.ts";
import type { Branch, Choices } from "./choices.ts";
import type { Edge, Graph } from "./graph.ts";
import { sortMoments } from "./waits.ts";
import type { Waits } from "./waits.ts";

/** For a node: which branches of which switches must have been chosen for it to run. A switch that is not there does not matter. */
type Requirements = ReadonlyMap<number, ReadonlySet<Branch>>;
const NONE: Requirements = new Map();
/**
 * Switches that are followed per node. Beyond it the oldest are forgotten: then a join may go unreported, but nothing
 * that works is refused, and a chain of thousands of switches stays linear.
 */
const MAX_TRACKED = 64;

/**
 * Finds nodes that can never run, because no switch can choose them or because they need branches that exclude each other.
 * Needs an acyclic graph.
 */
export function checkReachability(graph: Graph, waits: Waits, report: Report): void {
  const choices = new Map<number, Choices>();
  for (const node of graph.nodes)
    if (node.body.kind === "switch") choices.set(node.index, listChoices(node, graph.indices));
  const requirements: Requirements[] = graph.nodes.map(() => NONE);
  /** Nodes that can never run; what follows from one of them is not reported again. */
  const dead = new Set<number>();
  for (const moment of sortMoments(waits)) {
    // The end of a parallel says nothing new.
    if (moment >= graph.nodes.length) continue;
    const node = graph.nodes[moment]!;
    const activation = activate(graph, node, choices, requirements, dead, report);
    if (activation === undefined) continue;
    requirements[moment] = joinDependencies(graph, node, activation, requirements, dead, report);
  }
}

/** What it takes for one of the node's activators to activate it; undefined when none ever does. */
function activate(
  { nodes, activators }: Graph,
  node: NodeDraft,
  choices: ReadonlyMap<number, Choices>,
  requirements: readonly Requirements[],
  dead: Set<number>,
  report: Report,
): Requirements | undefined {
  const edges = activators[node.index]!;
  if (edges.length === 0) return NONE;
  const alternatives: Requirements[] = [];
  for (const { from } of edges) {
    if (dead.has(from)) continue;
    const choice = choices.get(from);
    if (choice === undefined) {
      alternatives.push(requirements[from]!);
      continue;
    }
    const branches = [...(choice.byTarget.get(node.index) ?? [])].filter((branch) => !choice.impossible.has(branch));
    if (branches.length > 0) alternatives.push(limit(new Map([...requirements[from]!, [from, new Set(branches)]])));
  }
  if (alternatives.length > 0) return alternatives.reduce(either);
  dead.add(node.index);
  const cause = edges.find(({ from }) => !dead.has(from));
  if (cause !== undefined) {
    report.add(
      "unreachable-node",
      node.idAt,
      `"${node.id}" can never run: the switch "${nodes[cause.from]!.id}" never chooses it`,
      "its condition or an earlier case is constant: change it, or remove this branch",
    );
  }
  return undefined;
}

function joinDependencies(
  graph: Graph,
  node: NodeDraft,
  activation: Requirements,
  requirements: readonly Requirements[],
  dead: Set<number>,
  report: Report,
): Requirements {
  const edges = graph.dependencies[node.index]!;
  const alive = edges.filter(({ from }) => !dead.has(from));
  if (joinOf(node) === "any") {
    if (alive.length > 0) return both(activation, alive.map(({ from }) => requirements[from]!).reduce(either)).joined;
    if (edges.length > 0) dead.add(node.index);
    return activation;
  }
  if (alive.length < edges.length) {
    dead.add(node.index);
    return NONE;
  }
  let joined = activation;
  for (const edge of edges) {
    const { joined: next, conflict } = both(joined, requirements[edge.from]!);
    if (conflict !== undefined) {
      dead.add(node.index);
      reportExclusive(graph, node, edge, conflict, requirements, report);
      return NONE;
    }
    joined = next;
  }
  return joined;
}

export function joinOf(node: NodeDraft): "all" | "any" {
  return node.join ?? (node.body.kind === "aggregation" ? "any" : "all");
}

function reportExclusive(
  { nodes, dependencies }: Graph,
  node: NodeDraft,
  edge: Edge,
  theSwitch: number,
  requirements: readonly Requirements[],
  report: Report,
): void {
  const other = dependencies[node.index]!.find(
    ({ from }) =>
      from !== edge.from &&
      requirements[from]!.has(theSwitch) &&
      both(requirements[from]!, requirements[edge.from]!).conflict === theSwitch,
  );
  const name = `"${nodes[edge.from]!.id}"`;
  const rival = other === undefined ? `"${node.id}" itself` : `"${nodes[other.from]!.id}"`;
  report.add(
    "exclusive-join",
    edge.at,
    `"${node.id}" can never run: it needs ${name}, yet the switch "${nodes[theSwitch]!.id}" chooses either ${name} or ${rival}`,
    other === undefined
      ? "a node cannot depend on a node of another branch"
      : "use an aggregation, or `join: any`, to go on with the one that ran",
  );
}

/** Both must hold. `conflict`: a switch that would have to choose two branches at once. */
function both(left: Requirements, right: Requirements): { joined: Requirements; conflict?: number } {
  if (left.size === 0 || left === right) return { joined: right };
  if (right.size === 0) return { joined: left };
  const joined = new Map(left);
  for (const [key, branches] of right) {
    const mine = left.get(key);
    const common = mine === undefined ? branches : mine.intersection(branches);
    if (common.size === 0) return { joined: NONE, conflict: key };
    joined.set(key, common);
  }
  return { joined: limit(joined) };
}

/** One of the two must hold. */
function either(left: Requirements, right: Requirements): Requirements {
  if (left === right) return left;
  const joined = new Map<number, ReadonlySet<Branch>>();
  for (const [key, branches] of left) {
    const others = right.get(key);
    if (others !== undefined) joined.set(key, branches.union(others));
  }
  return joined;
}

function limit(requirements: Map<number, ReadonlySet<Branch>>): Requirements {
  for (const key of requirements.keys()) {
    if (requirements.size <= MAX_TRACKED) break;
    requirements.delete(key);
  }
  return requirements;
}
