import { withAnchors } from "./anchors.ts";
import type { Diagram, DiagramNode, DiagramShape } from "./diagram.ts";

const SHAPES: Readonly<Record<DiagramShape, string>> = {
  box: 'shape=box style="rounded"',
  diamond: "shape=diamond",
  initial: "shape=point width=0.12",
  final: "shape=box peripheries=2",
  shallow_history: "shape=circle",
  deep_history: "shape=circle",
};

/** Graphviz: `heddle graph order.yaml --format dot | dot -Tsvg`. */
export function renderDot(source: Diagram): string {
  const { title, nodes, edges } = withAnchors(source);
  const lines = [
    `digraph ${quote(title)} {`,
    '  graph [compound=true fontname="Helvetica" rankdir=TB]',
    '  node [fontname="Helvetica"]',
    '  edge [fontname="Helvetica" fontsize=10]',
  ];
  /** Edges end at nodes; what stands for a box is a node inside of it. */
  const ends = new Map<string, string>();
  const show = (node: DiagramNode, depth: number): void => {
    const indent = "  ".repeat(depth);
    if (node.children.length === 0) {
      lines.push(`${indent}${quote(node.id)} [label=${quote(labelOf(node))} ${SHAPES[node.shape]}]`);
      return;
    }
    ends.set(node.id, firstLeaf(node));
    lines.push(
      `${indent}subgraph ${quote(clusterOf(node.id))} {`,
      `${indent}  label=${quote(labelOf(node))} style="rounded${node.isParallel ? ",dashed" : ""}"`,
    );
    for (const child of node.children) show(child, depth + 1);
    lines.push(`${indent}}`);
  };
  for (const node of nodes) show(node, 1);
  for (const { from, to, label, isDashed } of edges) {
    const attributes = [
      ...(label === "" ? [] : [`label=${quote(label)}`]),
      ...(isDashed ? ["style=dashed"] : []),
      ...(ends.has(from) ? [`ltail=${quote(clusterOf(from))}`] : []),
      ...(ends.has(to) ? [`lhead=${quote(clusterOf(to))}`] : []),
    ];
    const list = attributes.length === 0 ? "" : ` [${attributes.join(" ")}]`;
    lines.push(`  ${quote(ends.get(from) ?? from)} -> ${quote(ends.get(to) ?? to)}${list}`);
  }
  return `${[...lines, "}"].join("\n")}\n`;
}

function clusterOf(id: string): string {
  return `cluster_${id}`;
}

function firstLeaf(node: DiagramNode): string {
  const [child] = node.children;
  return child === undefined ? node.id : firstLeaf(child);
}

function labelOf({ label, notes, shape }: DiagramNode): string {
  if (shape === "shallow_history") return "H";
  if (shape === "deep_history") return "H*";
  return [label, ...notes].join("\n");
}

/** A quoted text, in which Graphviz reads nothing but `\n`. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
