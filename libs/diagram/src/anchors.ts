import { type Diagram, type DiagramNode, leaf } from "./diagram.ts";

/**
 * Graphviz and Mermaid cannot draw an edge between a box and something inside of it. Such an edge gets an end inside of the box
 * that stands for all of it; everything else stays as it is.
 */
export function withAnchors(diagram: Diagram): Diagram {
  const parents = new Map<string, string>();
  const note = (nodes: readonly DiagramNode[], parent: string | undefined): void => {
    for (const { id, children } of nodes) {
      if (parent !== undefined) parents.set(id, parent);
      note(children, id);
    }
  };
  note(diagram.nodes, undefined);
  const containers = new Set(parents.values());
  const contains = (outer: string, inner: string | undefined): boolean =>
    inner !== undefined && (inner === outer || contains(outer, parents.get(inner)));

  const anchored = new Set<string>();
  const anchorOf = (id: string): string => {
    anchored.add(id);
    return `${id}/anchor`;
  };
  const edges = diagram.edges.map((edge) => {
    const { from, to } = edge;
    return {
      ...edge,
      from: containers.has(from) && contains(from, to) ? anchorOf(from) : from,
      to: containers.has(to) && contains(to, from) ? anchorOf(to) : to,
    };
  });
  const anchor = (node: DiagramNode): DiagramNode => {
    const children = node.children.map(anchor);
    const own = anchored.has(node.id) ? [leaf(`${node.id}/anchor`, { label: `all of ${node.label}` })] : [];
    return { ...node, children: [...own, ...children] };
  };
  return { ...diagram, nodes: diagram.nodes.map(anchor), edges };
}
