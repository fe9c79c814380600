/** A chain of dispatched steps: each hands the input on, the last one's output is the workflow's. */
export function chainDefinition(workflowId: string, steps: number): string {
  const nodes = Array.from({ length: steps }, (_, index) => {
    const value = index === 0 ? "${input.text}" : `\${s${index - 1}.output.text}`;
    return `    - { id: s${index}, type: tool, tool: echo, inputs: { text: "${value}" } }`;
  });
  return `workflow:
  id: ${workflowId}
  type: dag
  nodes:
${nodes.join("\n")}
  output: { text: "\${s${steps - 1}.output.text}" }
`;
}
