import type { Diagram, DiagramEdge, DiagramNode, DiagramShape } from "./diagram.ts";

const SIGNS: Readonly<Record<DiagramShape, string>> = {
  box: "",
  diamond: "",
  initial: "●",
  final: "◉ ",
  shallow_history: "Ⓗ ",
  deep_history: "Ⓗ* ",
};

/** Lines for a terminal: each node, below it what it does, where it leads, and what is inside of it. */
export function renderText(diagram: Diagram): string {
  const from = new Map<string, DiagramEdge[]>();
  for (const edge of diagram.edges) from.set(edge.from, [...(from.get(edge.from) ?? []), edge]);
  const lines = [`${diagram.title}, ${diagram.kind === "dag" ? "a workflow of nodes" : "a state machine"}`];
  const show = (node: DiagramNode, depth: number): void => {
    const indent = "  ".repeat(depth);
    const edges = from.get(node.id) ?? [];
    if (node.shape === "initial") {
      for (const { to, label } of edges) lines.push(`${indent}● → ${to}${label === "" ? "" : `  ${label}`}`);
      return;
    }
    const regions = node.isParallel ? "  (all of it at once)" : "";
    lines.push(`${indent}${SIGNS[node.shape]}${node.label}${regions}`);
    for (const note of node.notes) lines.push(`${indent}    ${note}`);
    for (const { to, label, isDashed } of edges) {
      const arrow = isDashed ? "⇢" : "→";
      lines.push(`${indent}    ${label === "" ? "" : `${label} `}${arrow} ${to}`);
    }
    for (const child of node.children) show(child, depth + 1);
  };
  for (const node of diagram.nodes) show(node, 1);
  return `${lines.join("\n")}\n`;
}
