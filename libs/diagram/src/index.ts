export type { Diagram, DiagramEdge, DiagramNode, DiagramShape } from "./diagram.ts";
export { draw } from "./draw.ts";
export { renderDot } from "./render-dot.ts";
export { renderMermaid } from "./render-mermaid.ts";
export { renderText } from "./render-text.ts";
