import type { PlanNode } from "../../src/index.ts";

/** A parallel ends after its branches, and what has a fallback after that: what waits for its own end would wait for ever. */
export function breakCycles(nodes: PlanNode[]): void {
  for (let stuck = findStuck(nodes); stuck.size > 0; stuck = findStuck(nodes)) {
    for (const node of nodes) {
      if (node.onError?.some((one) => one.action === "fallback" && stuck.has(one.target))) {
        delete node.onError;
        break;
      }
      if (node.kind !== "parallel" || !node.branches.some((branch) => stuck.has(branch))) continue;
      node.branches = node.branches.filter((branch) => !stuck.has(branch));
      if (node.need !== undefined) node.need = Math.max(1, Math.min(node.need, node.branches.length));
      // A race without branches can only fail.
      node.waitAll ||= node.branches.length === 0;
      break;
    }
  }
}

function fallbacksOf(node: PlanNode): number[] {
  return (node.onError ?? []).flatMap((one) => (one.action === "fallback" ? [one.target] : []));
}

/** Nodes that could not end even if everything went well. */
function findStuck(nodes: PlanNode[]): Set<number> {
  const activators: number[][] = nodes.map(() => []);
  for (const [index, node] of nodes.entries()) {
    const targets = node.kind === "parallel" ? node.branches : node.kind === "switch" ? targetsOf(node) : [];
    for (const target of [...targets, ...fallbacksOf(node)]) activators[target]?.push(index);
  }
  const begun = new Set<number>();
  /** Its own work is over, and its fallbacks may begin. */
  const done = new Set<number>();
  const ended = new Set<number>();
  const partsOf = (node: PlanNode): number[] =>
    node.kind === "parallel" ? node.branches : node.kind === "group" || node.kind === "loop" ? node.body : [];
  for (let before = -1; before !== begun.size + done.size + ended.size; ) {
    before = begun.size + done.size + ended.size;
    for (const [index, node] of nodes.entries()) {
      const isReleased = (by: number) => {
        const activator = nodes[by] as PlanNode;
        if (fallbacksOf(activator).includes(index)) return done.has(by);
        return activator.kind === "parallel" ? begun.has(by) : ended.has(by);
      };
      const isInside = node.container === undefined || begun.has(node.container);
      if (isInside && node.dependencies.every((one) => ended.has(one)) && activators[index]?.every(isReleased))
        begun.add(index);
      if (begun.has(index) && partsOf(node).every((one) => ended.has(one))) done.add(index);
      if (done.has(index) && fallbacksOf(node).every((one) => ended.has(one))) ended.add(index);
    }
  }
  return new Set([...nodes.keys()].filter((index) => !ended.has(index)));
}

function targetsOf(node: Extract<PlanNode, { kind: "switch" }>): number[] {
  return [...node.cases.flatMap((one) => one.targets), ...node.defaultTargets];
}
