import { type Handlers, type Json, TaskError } from "@heddle/sdk";

/** A workflow with a model that knows its result. */
export interface Program {
  workflowId: string;
  source: string;
  /** The output for the input `{ n }`. */
  expected(n: number): Json;
}

/** Every kind of thing that must survive: dispatched steps, fan-outs, retries, timers, sub-workflows, pure chains, maps and loops. */
export const programs: Program[] = [
  {
    workflowId: "kill-chain",
    source: `
workflow:
  id: kill-chain
  type: dag
  nodes:
    - { id: a, type: tool, tool: add, inputs: { n: "\${input.n}", by: 1 } }
    - { id: b, type: tool, tool: add, inputs: { n: "\${a.output.n}", by: 10 } }
    - { id: c, type: tool, tool: add, inputs: { n: "\${b.output.n}", by: 100 } }
    - { id: d, type: tool, tool: add, inputs: { n: "\${c.output.n}", by: 1000 } }
  output: "\${d.output.n}"
`,
    expected: (n) => n + 1111,
  },
  {
    workflowId: "kill-fan",
    source: `
workflow:
  id: kill-fan
  type: dag
  nodes:
    - { id: fan, type: control, subtype: parallel, branches: [x, y, z], wait_all: true }
    - { id: x, type: tool, tool: add, inputs: { n: "\${input.n}", by: 1 } }
    - { id: y, type: tool, tool: add, inputs: { n: "\${input.n}", by: 2 } }
    - { id: z, type: tool, tool: add, inputs: { n: "\${input.n}", by: 3 } }
    - { id: all, type: aggregation, subtype: collect, dependencies: [x, y, z] }
  output: "\${all.output.map(e, e.n)}"
`,
    expected: (n) => [n + 1, n + 2, n + 3],
  },
  {
    workflowId: "kill-flaky",
    source: `
workflow:
  id: kill-flaky
  type: dag
  nodes:
    - id: flaky
      type: tool
      tool: flaky
      inputs: { n: "\${input.n}" }
      retry: { max_attempts: 5, initial_interval: 50ms, max_interval: 200ms }
    - { id: nap, type: action, subtype: wait, params: { duration: 150ms }, dependencies: [flaky] }
    - { id: after, type: tool, tool: add, inputs: { n: "\${flaky.output.n}", by: 5 }, dependencies: [nap] }
  output: "\${after.output.n}"
`,
    expected: (n) => n + 5,
  },
  {
    workflowId: "kill-parent",
    source: `
workflow:
  id: kill-parent
  type: dag
  nodes:
    - { id: left, type: sub_workflow, workflow_id: kill-chain, inputs: { n: "\${input.n}" } }
    - { id: right, type: sub_workflow, workflow_id: kill-flaky, inputs: { n: "\${input.n}" } }
    - { id: sum, type: action, subtype: transform, params: { value: "\${left.output + right.output}" } }
    - id: big
      type: control
      subtype: switch
      condition: "\${sum.output > 1500}"
      branches: [{ case: true, target: large }, { default: small }]
    - { id: large, type: tool, tool: add, inputs: { n: "\${sum.output}", by: 1 } }
    - { id: small, type: action, subtype: transform, params: { value: { n: "\${sum.output}" } } }
    - { id: either, type: aggregation, subtype: merge, dependencies: [large, small] }
  output: "\${either.output.n}"
`,
    expected(n) {
      const sum = n + 1111 + n + 5;
      return sum > 1500 ? sum + 1 : sum;
    },
  },
  {
    workflowId: "kill-map",
    source: `
workflow:
  id: kill-map
  type: dag
  nodes:
    - id: all
      type: control
      subtype: map
      range: { from: 1, to: 6 }
      workflow_id: kill-fan
      inputs: { n: "\${input.n * item}" }
      max_concurrency: 3
  output: "\${all.output.map(o, o[0])}"
`,
    expected: (n) => [1, 2, 3, 4, 5, 6].map((item) => n * item + 1),
  },
  {
    workflowId: "kill-loop",
    source: `
workflow:
  id: kill-loop
  type: dag
  nodes:
    - id: turns
      type: control
      subtype: loop
      while: "\${loop.index < 5}"
      carry: "\${input.n}"
      next: "\${child.output[2]}"
      output: "\${loop.carry}"
      nodes:
        - { id: work, type: tool, tool: add, inputs: { n: "\${loop.carry}", by: 1 } }
        - { id: child, type: sub_workflow, workflow_id: kill-fan, inputs: { n: "\${work.output.n}" } }
`,
    expected: (n) => ({ turns: n + 20 }),
  },
];

/** The tools of the programs. \`flaky\` fails its first attempts, as many as its input says. */
export const handlers: Handlers = {
  add: async (input) => {
    const { n, by } = input as { n: number; by: number };
    return { n: n + by };
  },
  flaky: async (input, { attempt }) => {
    const { n } = input as { n: number };
    if (attempt <= n % 3) throw new TaskError("flaky", `attempt ${attempt} of ${n % 3} that fail`);
    return { n };
  },
};
