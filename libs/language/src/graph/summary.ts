import type { Graph } from "./graph.ts";
import { sortMoments } from "./waits.ts";
import type { Waits } from "./waits.ts";

/** What the compiler found out about a plan. */
export interface PlanSummary {
  /** Those in the bodies of maps included; what else is told is about the nodes of the workflow itself. */
  nodeCount: number;
  /** Dependencies that expressions have and nobody declared, as ids; in document order. */
  inferredDependencies: { nodeId: string; dependsOn: string }[];
  /** Ids by earliest turn: everything that a node waits for is in earlier groups. In document order. */
  levels: string[][];
  /** The levels with more than one node: what may run at the same time. */
  parallelGroups: string[][];
  /** Nodes of the longest chain, first to last. */
  criticalPath: string[];
}

/** Needs an acyclic graph. `inside`: how many nodes are in bodies of maps. */
export function summarize({ nodes, dependencies }: Graph, waits: Waits, inside: number): PlanSummary {
  const { size, waitsFor, nodeOf } = waits;
  // Length of the longest chain that ends in a moment, in nodes; the two moments of a parallel count once.
  const lengths = Array.from({ length: size }, () => 1);
  const previous: (number | undefined)[] = Array.from({ length: size });
  for (const moment of sortMoments(waits)) {
    for (const wait of waitsFor[moment]!) {
      const isEnd = moment >= nodes.length;
      const length = lengths[wait.moment]! + (isEnd ? 0 : 1);
      if (length < lengths[moment]! || (length === lengths[moment]! && previous[moment] !== undefined)) continue;
      lengths[moment] = length;
      previous[moment] = wait.moment;
    }
  }
  const levels: string[][] = [];
  for (const { id, index } of nodes) (levels[lengths[index]! - 1] ??= []).push(id);
  return {
    nodeCount: nodes.length + inside,
    inferredDependencies: nodes.flatMap(({ id, index }) =>
      dependencies[index]!.filter((edge) => edge.isInferred).map((edge) => ({
        nodeId: id,
        dependsOn: nodes[edge.from]!.id,
      })),
    ),
    levels: levels.filter((level) => level !== undefined),
    parallelGroups: levels.filter((level) => level !== undefined && level.length > 1),
    criticalPath: longestChain(lengths, previous, nodeOf).map((index) => nodes[index]!.id),
  };
}

function longestChain(
  lengths: number[],
  previous: (number | undefined)[],
  nodeOf: (moment: number) => number,
): number[] {
  let last: number | undefined;
  for (const [moment, length] of lengths.entries()) if (last === undefined || length > lengths[last]!) last = moment;
  const chain: number[] = [];
  for (; last !== undefined; last = previous[last]) chain.push(nodeOf(last));
  return [...new Set(chain.reverse())];
}
