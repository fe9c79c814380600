import { didYouMean } from "@heddle/expression";
import { activated, dependsRefs, fallbacksOf, isFinally } from "../draft.ts";
import type { ItemPlace, NodeDraft, WorkflowDraft } from "../draft.ts";
import type { Report } from "../report.ts";
import type { Span } from "../source/source-node.ts";
import { listInnerIds, reportInner } from "./inner-ids.ts";

/** Who waits for whom, by index. Broken references are reported and left out, so that everything else can be checked. */
export interface Graph {
  nodes: readonly NodeDraft[];
  indices: ReadonlyMap<string, number>;
  /** What each node depends on: declared first, in the order written, then inferred from expressions. */
  dependencies: Edge[][];
  /** Switches and parallels that activate each node, and nodes that it is the fallback of. */
  activators: Edge[][];
  /** By node: what may run in its place when it has failed. */
  fallbacks: number[][];
  /** Nodes that run in the place of the whole workflow when it is to fail: nothing waits for them, and they wait for nothing. */
  rescuers: ReadonlySet<number>;
}

export interface Edge {
  /** The node that is waited for. */
  from: number;
  /** Where the definition says so. */
  at: Span;
  /** Found in an expression, not declared. */
  isInferred: boolean;
}

/** Gives every id its index. The first of two nodes with the same id keeps it. */
export function indexNodes(nodes: readonly NodeDraft[], report: Report): Map<string, number> {
  const indices = new Map<string, number>();
  for (const { id, idAt, index } of nodes) {
    if (id === "") continue;
    const first = indices.get(id);
    if (first === undefined) indices.set(id, index);
    else
      report.add(
        "duplicate-id",
        idAt,
        `there are two nodes "${id}"`,
        `the first is on line ${report.lineOf(nodes[first]!.idAt.start)}: give this one another id`,
      );
  }
  // What runs at the end cannot be named: nothing waits for it.
  for (const node of nodes) if (isFinally(node) && indices.get(node.id) === node.index) indices.delete(node.id);
  return indices;
}

/** The graph of what is declared; `addInferred` adds what expressions read. */
export function buildGraph(
  { nodes, item, onError = [] }: Pick<WorkflowDraft, "nodes" | "item" | "onError">,
  indices: ReadonlyMap<string, number>,
  report: Report,
): Graph {
  const graph: Graph = {
    nodes,
    indices,
    dependencies: nodes.map(() => []),
    activators: nodes.map(() => []),
    fallbacks: nodes.map(() => []),
    rescuers: new Set(
      onError.flatMap((handler) => (handler.action === "fallback" ? (indices.get(handler.target.id) ?? []) : [])),
    ),
  };
  const resolve = createResolver(graph, item, report);
  for (const node of nodes) {
    for (const ref of activated(node.body)) {
      const target = resolve(node, ref, "activates itself");
      const activators = target === undefined ? undefined : graph.activators[target];
      if (activators?.some(({ from }) => from === node.index) === false)
        activators.push({ from: node.index, at: ref.at, isInferred: false });
    }
  }
  for (const node of nodes) {
    for (const ref of fallbacksOf(node)) {
      const target = resolve(node, ref, "is its own fallback");
      if (target === undefined || graph.fallbacks[node.index]!.includes(target)) continue;
      graph.fallbacks[node.index]!.push(target);
      graph.activators[target]!.push({ from: node.index, at: ref.at, isInferred: false });
    }
  }
  for (const node of nodes) {
    const seen = new Set<number>();
    for (const ref of node.depends === undefined ? [] : dependsRefs(node.depends)) {
      const from = resolve(node, ref, "depends on itself");
      if (from === undefined || seen.has(from)) continue;
      seen.add(from);
      graph.dependencies[node.index]!.push({ from, at: ref.at, isInferred: false });
    }
    for (const ref of node.dependencies) {
      const from = resolve(node, ref, "depends on itself");
      // A target that also lists its switch says the same thing twice, and so does a fallback.
      if (from === undefined || isActivatedBy(graph, node.index, from)) continue;
      graph.dependencies[node.index]!.push({ from, at: ref.at, isInferred: false });
    }
  }
  checkBranches(graph, report);
  return graph;
}

/** An expression of `node` reads `from`. What activates the node is over anyway, unless it is a parallel. */
export function addInferred(graph: Graph, node: number, from: number, locate: () => Span): void {
  const dependencies = graph.dependencies[node]!;
  if (isActivatedBy(graph, node, from) || dependencies.some((edge) => edge.from === from)) return;
  dependencies.push({ from, at: locate(), isInferred: true });
}

/** A switch has settled by then, and what has a fallback has failed. A parallel has only begun. */
function isActivatedBy(graph: Graph, node: number, from: number): boolean {
  if (graph.fallbacks[from]!.includes(node)) return true;
  return graph.nodes[from]!.body.kind === "switch" && graph.activators[node]!.some((edge) => edge.from === from);
}

function createResolver(
  { nodes, indices }: Graph,
  item: ItemPlace | undefined,
  report: Report,
): (node: NodeDraft, ref: { id: string; at: Span }, fault: string) => number | undefined {
  const innerIds = listInnerIds(nodes);
  const namesBut = (own: string): string[] => [...indices.keys()].filter((id) => id !== own);
  return (node, ref, fault) => {
    const index = indices.get(ref.id);
    if (index === undefined && item?.outerIds.has(ref.id)) {
      const message = `"${ref.id}" is around the map, and "${node.id}" is in its body`;
      report.add("other-body", ref.at, message, "remove it here: the map waits for what expressions in its body read");
      return undefined;
    }
    const mapId = index === undefined ? innerIds.get(ref.id) : undefined;
    if (mapId !== undefined) {
      reportInner(ref.id, mapId, ref.at, report);
      return undefined;
    }
    if (index === undefined) {
      report.add(
        "unknown-node",
        ref.at,
        `there is no node "${ref.id}"`,
        () => didYouMean(ref.id, namesBut(node.id)) ?? "add it, or remove it here",
      );
      return undefined;
    }
    if (index === node.index) {
      report.add("self-dependency", ref.at, `"${ref.id}" ${fault}`, "remove it here");
      return undefined;
    }
    const other = nodes[index]!.container;
    if (other === node.container) return index;
    const message = `"${ref.id}" is in ${nameBody(nodes, other)}, and "${node.id}" is in ${nameBody(nodes, node.container)}`;
    const hint =
      other === undefined
        ? "let the group or loop depend on it"
        : `name ${describeNode(nodes[other]!)} instead, or move the node into it`;
    report.add("other-body", ref.at, message, hint);
    return undefined;
  };
}

/** `the loop "each"`. */
export function nameBody(nodes: readonly NodeDraft[], container: number | undefined): string {
  return container === undefined ? "the workflow itself" : `the ${describeNode(nodes[container]!)}`;
}

function describeNode({ id, body }: NodeDraft): string {
  return `${body.kind === "loop" ? "loop" : "group"} "${id}"`;
}

function checkBranches({ nodes, activators, fallbacks }: Graph, report: Report): void {
  for (const [index, edges] of activators.entries()) {
    const fallbackEdge = edges.find(({ from }) => fallbacks[from]!.includes(index));
    const other = edges.find(({ from }) => !fallbacks[from]!.includes(index));
    if (fallbackEdge !== undefined && other !== undefined) {
      const message = `"${nodes[index]!.id}" is a fallback of "${nodes[fallbackEdge.from]!.id}", and "${nodes[other.from]!.id}" activates it as well`;
      report.add("bad-fallback", fallbackEdge.at, message, "use two nodes");
      continue;
    }
    const [first, second] = edges.filter(({ from }) => nodes[from]!.body.kind === "parallel");
    if (first === undefined || second === undefined) continue;
    const names = `"${nodes[first.from]!.id}" and "${nodes[second.from]!.id}"`;
    report.add(
      "shared-branch",
      second.at,
      `"${nodes[index]!.id}" is a branch of both ${names}`,
      "a branch belongs to one parallel: make it depend on what it needs instead",
    );
  }
}
