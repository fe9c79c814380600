import type { Edge, Graph } from "./graph.ts";

/**
 * The order in which things happen, as a graph of moments. A node is one moment, a parallel is two: it starts its
 * branches (`start`), and it settles after them (`end`). Whoever waits for a parallel waits for its end.
 */
export interface Waits {
  /** Number of moments; the start of node i is moment i. */
  size: number;
  /** By moment: the moments that it waits for. */
  waitsFor: Wait[][];
  /** The node that a moment belongs to. */
  nodeOf(moment: number): number;
}

export interface Wait {
  moment: number;
  /** undefined: by the nature of a parallel. */
  edge?: Edge;
}

export function buildWaits({ nodes, dependencies, activators }: Graph): Waits {
  const ends: number[] = [];
  const owners: number[] = nodes.map((_, index) => index);
  for (const node of nodes) {
    if (node.body.kind !== "parallel") ends.push(node.index);
    else {
      ends.push(owners.length);
      owners.push(node.index);
    }
  }
  const waitsFor: Wait[][] = owners.map(() => []);
  for (const index of nodes.keys()) {
    for (const edge of dependencies[index]!) waitsFor[index]!.push({ moment: ends[edge.from]!, edge });
    for (const edge of activators[index]!) {
      waitsFor[index]!.push({ moment: edge.from, edge });
      const end = ends[edge.from]!;
      if (end !== edge.from) waitsFor[end]!.push({ moment: ends[index]!, edge });
    }
    if (ends[index] !== index) waitsFor[ends[index]!]!.push({ moment: index });
  }
  return { size: owners.length, waitsFor, nodeOf: (moment) => owners[moment]! };
}

/** Moments such that each comes after all that it waits for; shorter than `size` when there is a circle. Document order where nothing else decides. */
export function sortMoments({ size, waitsFor }: Waits): number[] {
  const waiting = waitsFor.map((waits) => waits.length);
  const dependents: number[][] = waitsFor.map(() => []);
  for (const [moment, waits] of waitsFor.entries()) for (const wait of waits) dependents[wait.moment]!.push(moment);
  const order: number[] = [];
  for (let moment = 0; moment < size; moment += 1) if (waiting[moment] === 0) order.push(moment);
  for (let at = 0; at < order.length; at += 1) {
    for (const dependent of dependents[order[at]!]!) {
      waiting[dependent]! -= 1;
      if (waiting[dependent] === 0) order.push(dependent);
    }
  }
  return order;
}
