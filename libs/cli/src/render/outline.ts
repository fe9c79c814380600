/** Where a node stands in the tree that is shown. */
export interface OutlineEntry {
  readonly id: string;
  readonly depth: number;
}

/** The part of a compiled plan that is needed here. */
interface PlanNode {
  readonly id: string;
  readonly activators?: readonly number[];
  readonly container?: number;
}

/** How deep the tree is shown; below, nodes stand on the same level. */
const MAX_DEPTH = 6;

/**
 * The nodes of a compiled plan as a tree: what a switch or a parallel activates stands below it, and so does the body of a
 * group or loop; everything else in document order. Undefined for a text that is no plan, as the view does without then.
 */
export function findOutline(planJson: string): OutlineEntry[] | undefined {
  const nodes = readNodes(planJson);
  if (nodes === undefined) return undefined;
  const children = new Map<number | undefined, number[]>();
  for (const [index, { activators, container }] of nodes.entries()) {
    // A node of several switches stands below the first of them.
    const parent = activators?.[0] ?? container;
    children.set(parent, [...(children.get(parent) ?? []), index]);
  }
  const outline: OutlineEntry[] = [];
  const visited = new Set<number>();
  const visit = (index: number, depth: number): void => {
    const node = nodes[index];
    if (node === undefined || visited.has(index)) return;
    visited.add(index);
    outline.push({ id: node.id, depth: Math.min(depth, MAX_DEPTH) });
    for (const child of children.get(index) ?? []) visit(child, depth + 1);
  };
  for (const root of children.get(undefined) ?? []) visit(root, 0);
  // Whatever no root leads to would not be shown at all.
  for (const index of nodes.keys()) visit(index, 0);
  return outline;
}

function readNodes(planJson: string): PlanNode[] | undefined {
  try {
    const plan = JSON.parse(planJson) as { nodes?: unknown };
    return Array.isArray(plan.nodes) ? (plan.nodes as PlanNode[]) : undefined;
  } catch {
    return undefined;
  }
}
