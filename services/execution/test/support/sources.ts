/** Ends by itself when a worker has answered. */
export const DOUBLE = `
workflow:
  id: double
  type: dag
  nodes:
    - { id: work, type: tool, tool: double, inputs: { n: "\${input.n}" } }
  output: { doubled: "\${work.output.n}" }
`;

/** Waits for a signal. */
export const PATIENT = `
workflow:
  id: patient
  type: dag
  nodes:
    - { id: wait, type: action, subtype: wait, params: { signal: go } }
`;

/** Asks people. */
export const APPROVAL = `
workflow:
  id: approval
  type: dag
  nodes:
    - { id: approve, type: human, title: May I?, groups: [crew] }
  output: "\${approve.output.by}"
`;

/** Answers an update when it has ended waiting. */
export const UPDATED = `
workflow:
  id: updated
  type: dag
  updates:
    - { name: raise, after: wait }
  nodes:
    - { id: wait, type: action, subtype: wait, params: { signal: go } }
    - { id: last, type: action, subtype: wait, params: { signal: end }, dependencies: [wait] }
`;
