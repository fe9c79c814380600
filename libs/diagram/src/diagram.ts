/**
 * What there is to draw, however it is drawn: a forest of nodes and edges between them. Plain data, and the answer of
 * `heddle graph --json`.
 */
export interface Diagram {
  /** Id of the definition. */
  title: string;
  kind: "dag" | "state_machine";
  nodes: DiagramNode[];
  edges: DiagramEdge[];
}

export interface DiagramNode {
  /** Unique in the diagram. Names of the definition, in the body of a map after that of the map and a dot; markers have a `/` in theirs, which names have not. */
  id: string;
  /** Empty for markers. */
  label: string;
  /** Lines below the label: what it does. */
  notes: string[];
  shape: DiagramShape;
  /** States inside. */
  children: DiagramNode[];
  /** All children are active at once. */
  isParallel: boolean;
}

export type DiagramShape =
  /** A step, or a state. */
  | "box"
  /** Chooses between others. */
  | "diamond"
  /** Where a machine, or a compound state, begins. */
  | "initial"
  | "final"
  | "shallow_history"
  | "deep_history";

export interface DiagramEdge {
  /** Id of a node. */
  from: string;
  to: string;
  /** May be empty. */
  label: string;
  /** Dashed: not a way that is always taken, but one that a switch chooses or that a history falls back to. */
  isDashed: boolean;
}

/** A node with nothing in it. */
export function leaf(id: string, fields: Partial<DiagramNode> = {}): DiagramNode {
  return { id, label: id, notes: [], shape: "box", children: [], isParallel: false, ...fields };
}

/** Every node, parents before their children. */
export function allNodes(nodes: readonly DiagramNode[]): DiagramNode[] {
  return nodes.flatMap((node) => [node, ...allNodes(node.children)]);
}
