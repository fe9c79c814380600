import type { NodeBody } from "../draft.ts";
import type { Edge, Graph } from "./graph.ts";

/**
 * The order in which things happen, as a graph of moments. A node is one moment. A parallel, group or loop is two: it starts
 * its branches or its body (`start`), and is over after them (`done`). What has fallbacks is settled later still (`end`), after
 * those. Whoever waits for a node waits for its end.
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
  /** undefined: by the nature of a parallel, group, loop or fallback. */
  edge?: Edge;
}

export function buildWaits({ nodes, dependencies, activators, fallbacks }: Graph): Waits {
  const owners: number[] = nodes.map((_, index) => index);
  const later = (index: number): number => owners.push(index) - 1;
  const dones = nodes.map(({ index, body }) => (hasParts(body) ? later(index) : index));
  const ends = nodes.map(({ index }) => (fallbacks[index]!.length > 0 ? later(index) : dones[index]!));
  const waitsFor: Wait[][] = owners.map(() => []);
  for (const { index, container } of nodes) {
    for (const edge of dependencies[index]!) waitsFor[index]!.push({ moment: ends[edge.from]!, edge });
    for (const edge of activators[index]!) {
      if (fallbacks[edge.from]!.includes(index)) {
        waitsFor[index]!.push({ moment: dones[edge.from]!, edge });
        waitsFor[ends[edge.from]!]!.push({ moment: ends[index]!, edge });
      } else if (nodes[edge.from]!.body.kind === "parallel") {
        waitsFor[index]!.push({ moment: edge.from, edge });
        waitsFor[dones[edge.from]!]!.push({ moment: ends[index]!, edge });
      } else {
        waitsFor[index]!.push({ moment: ends[edge.from]!, edge });
      }
    }
    if (container !== undefined) {
      waitsFor[index]!.push({ moment: container });
      waitsFor[dones[container]!]!.push({ moment: ends[index]! });
    }
    if (dones[index] !== index) waitsFor[dones[index]!]!.push({ moment: index });
    if (ends[index] !== dones[index]) waitsFor[ends[index]!]!.push({ moment: dones[index]! });
  }
  return { size: owners.length, waitsFor, nodeOf: (moment) => owners[moment]! };
}

/** It goes on in other nodes. */
function hasParts({ kind }: NodeBody): boolean {
  return kind === "parallel" || kind === "group" || kind === "loop";
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
