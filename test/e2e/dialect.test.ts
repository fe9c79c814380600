import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compileDefinition } from "@heddle/language";
import { type Client, createClient, createWorker, type Worker } from "@heddle/sdk";
import { createLogger } from "@heddle/telemetry";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { disposeDev, startDev, type TestDevProcess } from "./start-dev.ts";

const run = promisify(execFile);
const HEDDLE = fileURLToPath(new URL("../../libs/cli/bin/heddle.js", import.meta.url));

/** As people have written it; the nodes that it only names follow. */
const SOURCE = `workflow:
  id: my-dag-workflow
  type: dag
  nodes:
    - { id: node1, type: agent, agent: my-agent, inputs: { data: "\${input.data}" } }
    - { id: node2, type: tool, tool: http_request, dependencies: [node1], inputs: { url: "\${node1.output.url}" } }
    - { id: parallel-tasks, type: control, subtype: parallel, branches: [task1, task2, task3], wait_all: true }
    - id: decision
      type: control
      subtype: switch
      condition: "\${score}"
      branches:
        - { case: high, target: premium-handler }
        - { case: low, target: basic-handler }
        - { default: standard-handler }
    - { id: sub-workflow, type: sub_workflow, workflow_id: another-workflow, inputs: { data: "\${current.data}" } }
    - { id: task1, type: tool, tool: number, inputs: { n: 1 } }
    - { id: task2, type: tool, tool: number, inputs: { n: 2 } }
    - { id: task3, type: tool, tool: number, inputs: { n: 3 } }
    - { id: premium-handler, type: tool, tool: handle, inputs: { as: premium, sum: "\${parallel-tasks.output.task1 + parallel-tasks.output.task3}" } }
    - { id: basic-handler, type: tool, tool: handle, inputs: { as: basic, sum: '\${nodes["parallel-tasks"].output.task2 - task1.output}' } }
    - { id: standard-handler, type: tool, tool: handle, inputs: { as: standard, sum: "\${sub-workflow.output.length}" } }
`;

/** The same in JSON, which is a part of YAML. */
const AS_JSON = {
  workflow: {
    id: "my-dag-workflow",
    type: "dag",
    nodes: [
      { id: "node1", type: "agent", agent: "my-agent", inputs: { data: "${input.data}" } },
      {
        id: "node2",
        type: "tool",
        tool: "http_request",
        dependencies: ["node1"],
        inputs: { url: "${node1.output.url}" },
      },
      {
        id: "parallel-tasks",
        type: "control",
        subtype: "parallel",
        branches: ["task1", "task2", "task3"],
        wait_all: true,
      },
      {
        id: "decision",
        type: "control",
        subtype: "switch",
        condition: "${score}",
        branches: [
          { case: "high", target: "premium-handler" },
          { case: "low", target: "basic-handler" },
          { default: "standard-handler" },
        ],
      },
      {
        id: "sub-workflow",
        type: "sub_workflow",
        workflow_id: "another-workflow",
        inputs: { data: "${current.data}" },
      },
      { id: "task1", type: "tool", tool: "number", inputs: { n: 1 } },
      { id: "task2", type: "tool", tool: "number", inputs: { n: 2 } },
      { id: "task3", type: "tool", tool: "number", inputs: { n: 3 } },
      {
        id: "premium-handler",
        type: "tool",
        tool: "handle",
        inputs: { as: "premium", sum: "${parallel-tasks.output.task1 + parallel-tasks.output.task3}" },
      },
      {
        id: "basic-handler",
        type: "tool",
        tool: "handle",
        inputs: { as: "basic", sum: '${nodes["parallel-tasks"].output.task2 - task1.output}' },
      },
      {
        id: "standard-handler",
        type: "tool",
        tool: "handle",
        inputs: { as: "standard", sum: "${sub-workflow.output.length}" },
      },
    ],
  },
};

const ANOTHER = `workflow:
  id: another-workflow
  type: dag
  nodes:
    - { id: measure, type: action, subtype: transform, params: { value: { length: "\${size(input.data)}" } } }
  output: "\${measure.output}"
`;

const STATE_MACHINE = `workflow:
  id: door
  type: state_machine
  states:
    - name: open
      transitions:
        - { event: close, target: nowhere }
    - name: closed
`;

const CASES = [
  ["high", "premium-handler", { handled: "premium", sum: 4 }],
  ["low", "basic-handler", { handled: "basic", sum: 1 }],
  ["whatever", "standard-handler", { handled: "standard", sum: 6 }],
] as const;

let folder: string;
let dev: TestDevProcess;
let client: Client;
let worker: Worker;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-dialect-"));
  dev = await startDev({ env: { HEDDLE_WORKER: "false" } });
  client = createClient({ address: dev.url });
  worker = createWorker({
    address: dev.url,
    logger: createLogger({ name: "worker", level: "silent" }),
    agents: { "my-agent": async ({ data }) => ({ url: `https://example.test/${data}` }) },
    handlers: {
      http_request: async ({ url }) => ({ status: 200, fetched: url }),
      number: async ({ n }) => n,
      handle: async ({ as, sum }) => ({ handled: as, sum }),
    },
  });
  await worker.start();
  await client.publish({ source: ANOTHER });
});
afterAll(async () => {
  await worker.stop();
  client.close();
  await disposeDev(dev);
  await rm(folder, { recursive: true, force: true });
});

describe.each([
  ["YAML", SOURCE],
  ["JSON", JSON.stringify(AS_JSON)],
])("the dialect as %s", (form, source) => {
  it("is valid for the command, without a warning", async () => {
    const file = join(folder, `workflow.${form.toLowerCase()}`);
    await writeFile(file, source);
    const { stdout } = await run(process.execPath, [HEDDLE, "validate", "--strict", "--json", file]);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: true,
      files: [{ findings: [], summary: { nodeCount: 11 } }],
    });
  });

  it.each(CASES)("runs to its end for score %s: %s", async (score, handler, handled) => {
    const { findings } = await client.publish({ source });
    expect(findings).toEqual([]);
    const { executionId } = await client.start({ workflowId: "my-dag-workflow", input: { data: "letter", score } });
    const execution = await client.wait(executionId, { timeoutMs: 60_000 });
    expect(execution, JSON.stringify(execution.failure)).toMatchObject({ status: "completed" });
    const nodes = Object.fromEntries(execution.nodes.map((node) => [node.nodeId, node]));
    expect(nodes["node2"]?.output).toEqual({ status: 200, fetched: "https://example.test/letter" });
    expect(nodes["parallel-tasks"]?.output).toEqual({ task1: 1, task2: 2, task3: 3 });
    expect(nodes["sub-workflow"]?.output).toEqual({ length: 6 });
    expect(nodes[handler]?.output).toEqual(handled);
    for (const [, other] of CASES.filter(([, id]) => id !== handler)) {
      expect(nodes[other]).toMatchObject({ status: "skipped", skipReason: "not_chosen" });
    }
    // Of the nodes that nothing depends on, those that completed.
    expect(execution.output).toEqual({
      node2: { status: 200, fetched: "https://example.test/letter" },
      [handler]: handled,
    });
  });
});

it("compiles to the same plan in both forms", () => {
  expect(compileDefinition(JSON.stringify(AS_JSON)).plan).toEqual(compileDefinition(SOURCE).plan);
});

it("says what is wrong with a state machine and where, over the service and by the command", async () => {
  const first = { field: "door.yaml:7:35", description: expect.stringContaining("nowhere") as string };
  await expect(client.publish({ source: STATE_MACHINE, fileName: "door.yaml" })).rejects.toMatchObject({
    reason: "DEFINITION_INVALID",
    violations: [first],
  });
  const file = join(folder, "door.yaml");
  await writeFile(file, STATE_MACHINE);
  await expect(run(process.execPath, [HEDDLE, "validate", file])).rejects.toMatchObject({
    code: 2,
    stdout: expect.stringMatching(/door\.yaml:7:35: error .*nowhere/),
  });
  const mended = STATE_MACHINE.replace("nowhere", "closed");
  expect(await client.publish({ source: mended })).toMatchObject({ definition: { workflowId: "door" } });
  // A machine is created, not started.
  await expect(client.start({ workflowId: "door" })).rejects.toMatchObject({
    kind: "failed_precondition",
    message: expect.stringMatching(/door .*state machine.*CreateMachine/) as string,
  });
});
