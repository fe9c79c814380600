import { withAnchors } from "./anchors.ts";
import { allNodes, type Diagram, type DiagramNode } from "./diagram.ts";

/**
 * A flowchart, for machines too: Mermaid's own state diagrams know no history, and no transition between states of different
 * regions.
 */
export function renderMermaid(source: Diagram): string {
  const diagram = withAnchors(source);
  // Ids of Mermaid may not be any of its words (`end`, `graph`, ...), nor hold all that names may hold.
  const ids = new Map(allNodes(diagram.nodes).map(({ id }, index) => [id, `n${index}`]));
  const lines = ["---", `title: ${JSON.stringify(diagram.title)}`, "---", "flowchart TB"];
  const show = (node: DiagramNode, depth: number): void => {
    const indent = "  ".repeat(depth);
    const id = ids.get(node.id)!;
    if (node.children.length === 0) {
      lines.push(`${indent}${id}${shapeOf(node)}`);
      return;
    }
    lines.push(`${indent}subgraph ${id} ["${escape(labelOf(node))}"]`);
    for (const child of node.children) show(child, depth + 1);
    lines.push(`${indent}end`);
    if (node.isParallel) lines.push(`${indent}style ${id} stroke-dasharray: 5 5`);
  };
  for (const node of diagram.nodes) show(node, 1);
  for (const { from, to, label, isDashed } of diagram.edges) {
    const arrow = isDashed ? "-.->" : "-->";
    lines.push(`  ${ids.get(from)} ${arrow}${label === "" ? "" : `|"${escape(label)}"|`} ${ids.get(to)}`);
  }
  return `${lines.join("\n")}\n`;
}

function shapeOf(node: DiagramNode): string {
  const text = `"${escape(labelOf(node))}"`;
  switch (node.shape) {
    case "diamond":
      return `{${text}}`;
    case "initial":
      return '((" "))';
    case "final":
      return `(((${text})))`;
    case "shallow_history":
      return '(("H"))';
    case "deep_history":
      return '(("H*"))';
    case "box":
      return `(${text})`;
  }
}

function labelOf({ label, notes }: DiagramNode): string {
  return [label, ...notes].join("\n");
}

/** Within quotes only these mean something: quotes, HTML, Mermaid's own `#name;`, Markdown in backticks. */
function escape(text: string): string {
  return text.replaceAll(/["#<>&`]/g, (sign) => `#${sign.charCodeAt(0)};`).replaceAll("\n", "<br/>");
}
