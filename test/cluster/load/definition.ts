export const WORKFLOW = "cluster-load";
/** Steps of the chain; each adds one. */
export const STEPS = 3;

/** A chain of steps, each dispatched to a built-in worker. */
export function loadDefinition(): string {
  const nodes = Array.from({ length: STEPS }, (_, index) => {
    const value = index === 0 ? "${input.n}" : `\${s${index - 1}.output}`;
    const needs = index === 0 ? "" : `, dependencies: [s${index - 1}]`;
    return `    - { id: s${index}, type: tool, tool: transform${needs}, inputs: { value: "${value}", map: "item + 1" } }`;
  });
  return `workflow:
  id: ${WORKFLOW}
  type: dag
  nodes:
${nodes.join("\n")}
  output: "\${s${STEPS - 1}.output}"
`;
}
