/** Layers of `width` tasks, each waiting for the one above it: `layers` x `width` nodes. */
export function layeredDefinition(workflowId: string, layers: number, width: number): string {
  const nodes: string[] = [];
  for (let layer = 0; layer < layers; layer++)
    for (let at = 0; at < width; at++)
      nodes.push(
        `    - { id: n${layer}_${at}, type: tool, tool: echo, inputs: { n: ${layer === 0 ? at : `"\${n${layer - 1}_${at}.output.n}"`} } }`,
      );
  return `workflow:
  id: ${workflowId}
  type: dag
  nodes:
${nodes.join("\n")}
  output: "\${n${layers - 1}_${width - 1}.output.n}"
`;
}

/** One task after the other. */
export function loopDefinition(workflowId: string): string {
  return `workflow:
  id: ${workflowId}
  type: dag
  nodes:
    - id: turns
      type: control
      subtype: loop
      while: "\${loop.index < input.turns}"
      max_iterations: 1000000
      carry: 0
      next: "\${step.output.n}"
      output: "\${loop.carry}"
      nodes: [{ id: step, type: tool, tool: echo, inputs: { n: "\${loop.carry + 1}" } }]
`;
}

/** Each item is an execution of one task. */
export const ITEM = `workflow:
  id: large-item
  type: dag
  nodes: [{ id: step, type: tool, tool: echo, inputs: { n: "\${input.item}" } }]
`;

export const MAP = `workflow:
  id: large-map
  type: dag
  nodes:
    - { id: all, type: control, subtype: map, range: { from: 1, to: "\${input.items}" }, workflow_id: large-item, max_concurrency: 500, collect: false }
`;

/** A task at each depth, and the same workflow below it. */
export const TREE = `workflow:
  id: large-tree
  type: dag
  nodes:
    - { id: step, type: tool, tool: echo, inputs: { n: "\${input.depth}" } }
    - { id: below, type: sub_workflow, workflow_id: large-tree, when: "\${input.depth > 1}", inputs: { depth: "\${input.depth - 1}" }, dependencies: [step] }
    - { id: sum, type: action, subtype: transform, params: { value: "\${below.status == 'completed' ? below.output + 1 : 1}" }, depends: below.settled }
  output: "\${sum.output}"
`;
