import { describe, expect, test } from "vitest";
import { compileDefinition } from "./index.ts";
import type { CompiledDefinition, DagPlan } from "./index.ts";

function compile(nodes: string, head = ""): CompiledDefinition & { plan?: DagPlan } {
  return compileDefinition(`workflow:\n  id: w\n  type: dag\n${head}  nodes:\n${nodes}`) as CompiledDefinition & {
    plan?: DagPlan;
  };
}

function node(text: string, others = ""): object {
  const { plan, findings } = compile(`    - ${text}\n${others}`);
  expect(findings).toEqual([]);
  return plan!.nodes[0]!;
}

describe("nodes", () => {
  test("a tool with everything", () => {
    const text = `{ id: a, name: A, description: d, type: tool, tool: t, when: "\${input.x > 1}", join: any,
        retry: { max_attempts: 5, initial_interval: 500ms, backoff: 1.5, max_interval: 1h30m, jitter: 0, non_retryable: [bad] },
        timeout: 30, heartbeat_timeout: 1.5s, priority: 0, inputs: [1, "\${input.y}"] }`;
    expect(node(text)).toEqual({
      id: "a",
      name: "A",
      dependencies: [],
      activators: [],
      join: "any",
      when: "input.x > 1",
      kind: "task",
      taskType: "tool",
      taskName: "t",
      inputs: [1, "${input.y}"],
      retry: {
        maxAttempts: 5,
        initialIntervalMs: 500,
        backoff: 1.5,
        maxIntervalMs: 5_400_000,
        jitter: 0,
        nonRetryable: ["bad"],
      },
      timeoutMs: 30_000,
      heartbeatTimeoutMs: 1_500,
      priority: 0,
    });
  });

  test("a tool with rules for its retries and all time-outs", () => {
    const text = `{ id: a, type: tool, tool: t, queue_timeout: 1m, progress_timeout: 5s, total_timeout: 1h,
        retry: { max_attempts: 5, jitter: 0, max_elapsed: 30m, rules: [{ on: throttled, max_attempts: 50, max_interval: 5s },
          { class: business, when: "\${error.details.again}", initial_interval: 2m }] } }`;
    const times = { maxAttempts: 5, initialIntervalMs: 1_000, backoff: 2, maxIntervalMs: 60_000, jitter: 0 };
    expect(node(text)).toMatchObject({
      queueTimeoutMs: 60_000,
      progressTimeoutMs: 5_000,
      totalTimeoutMs: 3_600_000,
      retry: {
        ...times,
        maxElapsedMs: 1_800_000,
        rules: [
          { ...times, types: ["throttled"], maxAttempts: 50, maxIntervalMs: 5_000, maxElapsedMs: 1_800_000 },
          {
            ...times,
            class: "business",
            when: "error.details.again",
            initialIntervalMs: 120_000,
            maxIntervalMs: 120_000,
          },
        ],
      },
    });
  });

  test("an interval longer than the default maximum raises the maximum", () => {
    expect(node("{ id: a, type: tool, tool: t, retry: { initial_interval: 5m } }")).toMatchObject({
      retry: { initialIntervalMs: 300_000, maxIntervalMs: 300_000 },
    });
  });

  test.each<[string, object]>([
    ["{ id: a, type: agent, agent: writer }", { taskType: "agent", taskName: "writer" }],
    [
      "{ id: a, type: agent, agent: { provider: scripted, prompt: hi } }",
      { taskType: "agent", taskName: "a", agent: { provider: "scripted", prompt: "hi" } },
    ],
    ["{ id: a, type: action, subtype: set, params: { x: 1 } }", { kind: "action", action: "set", params: { x: 1 } }],
    ["{ id: a, type: action, subtype: transform, params: { value: null } }", { action: "transform", value: null }],
    ["{ id: a, type: action, subtype: log, params: { message: hi } }", { action: "log", message: "hi", level: "info" }],
    ["{ id: a, type: action, subtype: wait, params: { duration: 2d } }", { action: "wait", duration: 172_800_000 }],
    [
      '{ id: a, type: action, subtype: wait, params: { duration: "${input.d}" } }',
      { action: "wait", duration: "${input.d}" },
    ],
    ["{ id: a, type: action, subtype: wait, params: { signal: go, duration: 5 } }", { signal: "go", duration: 5_000 }],
    [
      "{ id: a, type: action, subtype: wait, params: { until: 2030-01-01T00:00:00Z } }",
      { until: "2030-01-01T00:00:00Z" },
    ],
    [
      "{ id: a, type: action, subtype: fail, params: { message: no, type: bad } }",
      { action: "fail", message: "no", errorType: "bad" },
    ],
    [
      "{ id: a, type: action, subtype: emit, params: { event: e, payload: [1] } }",
      { action: "emit", event: "e", payload: [1] },
    ],
    [
      "{ id: a, type: sub_workflow, workflow_id: v, version: 3 }",
      { kind: "sub_workflow", workflowId: "v", version: 3 },
    ],
    [
      '{ id: a, type: aggregation, subtype: collect, inputs: "${[1]}" }',
      { kind: "aggregation", strategy: "collect", sources: [], inputs: "${[1]}", join: "any" },
    ],
  ])("%s", (text, expected) => {
    expect(node(text)).toMatchObject(expected);
  });

  test("a switch: literals of every kind, expressions, several targets", () => {
    const text = `{ id: a, type: control, subtype: switch, condition: input.x, branches: [
        { case: 1, target: b }, { case: true, target: [b, c] }, { case: null, target: b }, { case: "\${input.x > 5}", target: c }, { default: [b, c] }] }`;
    const others = "    - { id: b, type: tool, tool: t }\n    - { id: c, type: tool, tool: t }\n";
    expect(node(text, others)).toMatchObject({
      condition: "input.x",
      cases: [
        { match: 1, targets: [1] },
        { match: true, targets: [1, 2] },
        { match: null, targets: [1] },
        { match: { expression: "input.x > 5" }, targets: [2] },
      ],
      defaultTargets: [1, 2],
    });
  });

  test("an agent that the definition declares travels with its tasks", () => {
    const { plan } = compile(
      "    - { id: a, type: agent, agent: writer }\n",
      "  agents: [{ id: writer, provider: scripted }]\n",
    );
    expect(plan).toMatchObject({
      agents: { writer: { id: "writer", provider: "scripted" } },
      nodes: [{ taskName: "writer", agent: { id: "writer", provider: "scripted" } }],
    });
  });

  test("an aggregation takes its declared dependencies in the order in which they are written", () => {
    const { plan } = compile(`    - { id: a, type: tool, tool: t }
    - { id: b, type: tool, tool: t }
    - { id: c, type: tool, tool: t }
    - { id: g, type: aggregation, subtype: merge, dependencies: [c, a], when: "\${b.output.ok}" }
`);
    expect(plan!.nodes[3]).toMatchObject({ dependencies: [0, 1, 2], sources: [2, 0] });
  });
});

describe("the workflow", () => {
  test("carries what is said about it", () => {
    const { plan } = compile(
      "    - { id: a, type: tool, tool: t }\n",
      `  name: W\n  description: d\n  version: 1.2\n  timeout: 1h\n  priority: 9\n  labels: { team: x }\n  input: { schema: { type: object } }\n  output: { x: "\${a.output}" }\n`,
    );
    expect(plan).toMatchObject({
      name: "W",
      description: "d",
      timeoutMs: 3_600_000,
      priority: 9,
      inputSchema: { type: "object" },
      output: { x: "${a.output}" },
    });
  });
});

describe("dependencies", () => {
  test("are inferred from every place that is evaluated, declared ones are kept", () => {
    const { plan, summary } = compile(`    - { id: a, type: tool, tool: t }
    - { id: b-1, type: tool, tool: t, dependencies: [a], inputs: { x: "\${a.output}" } }
    - { id: c, type: tool, tool: t, inputs: { deep: [{ x: "v \${b-1.output.v} \${a.output.v}" }] }, when: "\${nodes['b-1'].status == 'completed'}" }
    - { id: d, type: control, subtype: switch, condition: "\${c.output}", branches: [{ case: "\${a.output.x}", target: e }, { default: f }] }
    - { id: e, type: tool, tool: t, dependencies: [d], inputs: { x: "\${d.output}" } }
    - { id: f, type: tool, tool: t }
`);
    expect(plan!.nodes.map(({ dependencies, activators }) => [dependencies, activators])).toEqual([
      [[], []],
      [[0], []],
      [[0, 1], []],
      [[0, 2], []],
      [[], [3]],
      [[], [3]],
    ]);
    expect(summary).toMatchObject({
      inferredDependencies: [
        { nodeId: "c", dependsOn: "b-1" },
        { nodeId: "c", dependsOn: "a" },
        { nodeId: "d", dependsOn: "c" },
        { nodeId: "d", dependsOn: "a" },
      ],
      levels: [["a"], ["b-1"], ["c"], ["d"], ["e", "f"]],
      parallelGroups: [["e", "f"]],
      criticalPath: ["a", "b-1", "c", "d", "e"],
    });
  });

  test("what follows a parallel comes after its branches", () => {
    const { summary } = compile(`    - { id: p, type: control, subtype: parallel, branches: [x, y] }
    - { id: x, type: tool, tool: t }
    - { id: y, type: tool, tool: t, dependencies: [x] }
    - { id: z, type: tool, tool: t, dependencies: [p] }
`);
    expect(summary).toMatchObject({ levels: [["p"], ["x"], ["y"], ["z"]], criticalPath: ["p", "x", "y", "z"] });
  });
});

describe("what becomes of children and of failures", () => {
  test("is in the plan where it is not as always", () => {
    const { plan, findings } = compile(`    - { id: a, type: sub_workflow, workflow_id: other, on_parent_close: leave }
    - { id: b, type: sub_workflow, workflow_id: other, on_parent_close: cancel }
    - { id: c, type: control, subtype: map, for_each: [1], workflow_id: other, on_parent_close: terminate }
    - { id: rescue, type: control, subtype: group, nodes: [{ id: step, type: tool, tool: t, inputs: { b: "\${b.output}" } }] }
  on_error:
    - { type: [x, y], class: business, when: "\${error.details.a}", fallback: rescue }
    - { type: z, fail: { type: "\${error.type}_again", class: technical } }
    - { action: fail }
`);
    expect(findings).toEqual([]);
    const [a, b, c, rescue, inside] = plan!.nodes;
    expect([a, b, c]).toMatchObject([{ onParentClose: "leave" }, {}, { onParentClose: "terminate" }]);
    expect(b).not.toHaveProperty("onParentClose");
    expect([rescue!.dependencies, inside!.dependencies]).toEqual([[], []]);
    expect(plan!.onError).toEqual([
      { types: ["x", "y"], class: "business", when: "error.details.a", action: "fallback", target: 3 },
      { types: ["z"], action: "fail", failure: { type: "${error.type}_again", class: "technical" } },
      { action: "fail" },
    ]);
  });
});

describe("joins that work", () => {
  const SWITCH = `    - { id: s, type: control, subtype: switch, condition: "\${input.x}", branches: [{ case: 1, target: a }, { case: 2, target: [b, both] }, { default: [c, both] }] }
    - { id: a, type: tool, tool: t }
    - { id: b, type: tool, tool: t }
    - { id: c, type: tool, tool: t }
    - { id: both, type: tool, tool: t }
`;
  test.each([
    ["the branches of one case", "{ id: j, type: tool, tool: t, dependencies: [b, both] }"],
    ["an aggregation of all", "{ id: j, type: aggregation, subtype: merge, dependencies: [a, b, c] }"],
    ["any of several", "{ id: j, type: tool, tool: t, join: any, dependencies: [a, b] }"],
    ["a branch and the switch", "{ id: j, type: tool, tool: t, dependencies: [a, s] }"],
  ])("%s", (_name, text) => {
    expect(compile(`${SWITCH}    - ${text}\n`).findings).toEqual([]);
  });

  test("what an any-join brings together may be joined with either side's switch again", () => {
    const text = `    - { id: j, type: tool, tool: t, join: any, dependencies: [a, b] }\n    - { id: k, type: tool, tool: t, dependencies: [j, a] }\n`;
    expect(compile(SWITCH + text).findings).toEqual([]);
    const wrong = `    - { id: j, type: tool, tool: t, join: any, dependencies: [a, b] }\n    - { id: k, type: tool, tool: t, dependencies: [j, c] }\n`;
    expect(compile(SWITCH + wrong).findings).toMatchObject([{ rule: "exclusive-join" }]);
  });

  test("a chain of a thousand switches is followed in linear time", () => {
    const nodes = Array.from(
      { length: 1_000 },
      (_, i) =>
        `    - { id: s${i}, type: control, subtype: switch, condition: "\${input.x}", branches: [{ case: 1, target: a${i} }, { default: s${i + 1} }] }\n    - { id: a${i}, type: tool, tool: t }\n`,
    );
    const all = Array.from({ length: 1_000 }, (_, i) => `a${i}`).join(", ");
    const { plan, findings } = compile(
      `${nodes.join("")}    - { id: s1000, type: aggregation, subtype: collect, dependencies: [${all}] }\n`,
    );
    expect(findings).toEqual([]);
    expect(plan!.nodes).toHaveLength(2_001);
  });
});
