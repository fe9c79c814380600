import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { compileDefinition } from "./index.ts";

const source = readFileSync(new URL("../testdata/dialect.yaml", import.meta.url), "utf8");
const retry = {
  maxAttempts: 3,
  initialIntervalMs: 1_000,
  backoff: 2,
  maxIntervalMs: 60_000,
  jitter: 0.2,
  nonRetryable: [],
};
const base = { dependencies: [], activators: [], join: "all" };
const tool = { ...base, kind: "task", taskType: "tool", taskName: "http_request", retry };

const plan = {
  format: "heddle.plan/1",
  workflowId: "my-dag-workflow",
  type: "dag",
  nodes: [
    { ...tool, id: "node1", taskType: "agent", taskName: "my-agent", inputs: { data: "${input.data}" } },
    { ...tool, id: "node2", dependencies: [0], inputs: { url: "${node1.output.url}" } },
    { ...base, id: "parallel-tasks", kind: "parallel", branches: [5, 6, 7], waitAll: true },
    {
      ...base,
      id: "decision",
      kind: "switch",
      condition: "score",
      cases: [
        { match: "high", targets: [8] },
        { match: "low", targets: [9] },
      ],
      defaultTargets: [10],
    },
    {
      ...base,
      id: "sub-workflow",
      kind: "sub_workflow",
      workflowId: "another-workflow",
      inputs: { data: "${current.data}" },
    },
    { ...tool, id: "task1", activators: [2] },
    { ...tool, id: "task2", activators: [2] },
    { ...tool, id: "task3", activators: [2] },
    { ...tool, id: "premium-handler", activators: [3] },
    { ...tool, id: "basic-handler", activators: [3] },
    { ...tool, id: "standard-handler", activators: [3] },
  ],
};

test("the dialect gives the plan that it says", () => {
  const compiled = compileDefinition(source);
  expect(compiled.findings).toEqual([]);
  expect(compiled.plan).toEqual(plan);
  expect(compiled.summary).toEqual({
    nodeCount: 11,
    inferredDependencies: [],
    levels: [
      ["node1", "parallel-tasks", "decision", "sub-workflow"],
      ["node2", "task1", "task2", "task3", "premium-handler", "basic-handler", "standard-handler"],
    ],
    parallelGroups: [
      ["node1", "parallel-tasks", "decision", "sub-workflow"],
      ["node2", "task1", "task2", "task3", "premium-handler", "basic-handler", "standard-handler"],
    ],
    criticalPath: ["node1", "node2"],
  });
});

test.each([
  ["JSON", JSON.stringify(parse(source))],
  ["indented JSON", JSON.stringify(parse(source), undefined, 2)],
  ["JSON indented with tabs", JSON.stringify(parse(source), undefined, "\t")],
  ["bytes", new TextEncoder().encode(source)],
  ["a byte order mark", `\uFEFF${source}`],
  ["Windows line ends", source.replaceAll("\n", "\r\n")],
])("the same as %s", (_name, text) => {
  expect(compileDefinition(text)).toMatchObject({ findings: [], plan });
});
