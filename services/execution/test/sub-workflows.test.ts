import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const DEPTH = 20;

const LEVEL = (level: number) => `
workflow:
  id: level-${level}
  type: dag
  nodes:
    - { id: below, type: sub_workflow, workflow_id: level-${level + 1}, inputs: { n: "\${input.n + 1}" } }
  output: "\${below.output}"
`;
const LAST = `
workflow:
  id: level-${DEPTH}
  type: dag
  nodes:
    - { id: end, type: action, subtype: transform, params: { value: "\${input.n}" } }
  output: "\${end.output}"
`;
const PARENT = `
workflow:
  id: parent
  type: dag
  nodes:
    - { id: call, type: sub_workflow, workflow_id: child, detached: true, inputs: { n: 1 } }
    - { id: hold, type: action, subtype: wait, params: { signal: go }, dependencies: [call] }
`;
const CHILD = `
workflow:
  id: child
  type: dag
  nodes:
    - { id: work, type: tool, tool: double, inputs: { n: "\${input.n}" } }
`;

const HOLDER = `
workflow:
  id: holder
  type: dag
  nodes:
    - { id: left, type: sub_workflow, workflow_id: held, on_parent_close: leave }
    - { id: ended, type: sub_workflow, workflow_id: held, on_parent_close: terminate }
    - { id: canceled, type: sub_workflow, workflow_id: held }
    - { id: items, type: control, subtype: map, for_each: [1, 2], workflow_id: held, on_parent_close: leave }
`;
const HELD = `
workflow:
  id: held
  type: dag
  nodes:
    - { id: hold, type: action, subtype: wait, params: { signal: go } }
  finally:
    nodes:
      - { id: rest, type: action, subtype: wait, params: { signal: rested } }
`;

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite();
});
afterEach(() => suite.stop());

describe("sub-workflows", () => {
  it(`stand ${DEPTH} deep in one another`, async () => {
    for (let level = 0; level < DEPTH; level++) suite.publish(LEVEL(level));
    suite.publish(LAST);
    const { execution } = await suite.client.startExecution({
      workflowId: "level-0",
      input: { n: 0 },
      wait: { seconds: 30n },
    });
    expect(execution?.status).toBe(ExecutionStatus.COMPLETED);
    expect(toJson(ValueSchema, execution!.output!)).toBe(DEPTH);
  });

  it("end with a failure that says why when one starts itself without an end", async () => {
    suite.publish(LEVEL(0).replaceAll("level-1", "level-0"));
    const { execution } = await suite.client.startExecution({
      workflowId: "level-0",
      input: { n: 0 },
      wait: { seconds: 30n },
    });
    expect(execution?.status).toBe(ExecutionStatus.FAILED);
    expect(execution?.failure?.message).toContain("at most 32 are allowed");
  });

  it("that are detached are nobody's: their node completes at once, a crash or a cancel of the parent is not about them", async () => {
    suite.publish(PARENT);
    suite.publish(CHILD);
    const { execution } = await suite.client.startExecution({ workflowId: "parent" });
    const parentId = execution!.executionId;
    const childId = await untilCalled(parentId);
    expect((await suite.client.getExecution({ executionId: childId })).execution?.parent).toBeUndefined();
    await suite.crash();
    await suite.client.cancelExecution({ executionId: parentId, reason: "enough" });
    await suite.restart();
    const child = await suite.client.getExecution({ executionId: childId });
    expect(child.execution?.status).toBe(ExecutionStatus.RUNNING);
    // Lists trail behind.
    const listed = async () => (await suite.client.listExecutions({ workflowId: "child" })).executions.length;
    await expect.poll(listed, { timeout: 10_000 }).toBe(1);
  });
});

describe("when a parent ends that waits for them", () => {
  it("children end, end at once, or go on, as the definition says, over crashes", async () => {
    suite.publish(HOLDER);
    suite.publish(HELD);
    const { execution } = await suite.client.startExecution({ workflowId: "holder" });
    const executionId = execution!.executionId;
    const before = await untilHeld(executionId, 5);
    await suite.crash();
    await suite.client.cancelExecution({ executionId, reason: "enough" });
    await suite.crash();
    await suite.restart();
    const statusOf = async (nodeId: string) => {
      const childId = before.get(nodeId) as string;
      return (await suite.client.getExecution({ executionId: childId })).execution;
    };
    await expect.poll(async () => (await statusOf("ended"))?.status).toBe(ExecutionStatus.CANCELED);
    // It is to end, and its `finally` runs.
    await expect.poll(async () => (await statusOf("canceled"))?.ending?.outcome).toBe(ExecutionStatus.CANCELED);
    for (const nodeId of ["left", "items[0]", "items[1]"]) {
      const child = await statusOf(nodeId);
      expect(child?.status).toBe(ExecutionStatus.RUNNING);
      expect(child?.ending).toBeUndefined();
      expect(child?.parent).toMatchObject({ executionId, nodeId, outlives: true });
    }
    const leftId = before.get("left") as string;
    await suite.client.signalExecution({ executionId: leftId, name: "go" });
    await suite.client.signalExecution({ executionId: leftId, name: "rested" });
    await expect.poll(async () => (await statusOf("left"))?.status).toBe(ExecutionStatus.COMPLETED);
    expect((await suite.client.getExecution({ executionId })).execution?.status).toBe(ExecutionStatus.CANCELED);
  });
});

/** Ids of the children, by node or item, once there are so many that wait. */
async function untilHeld(parentExecutionId: string, count: number): Promise<Map<string, string>> {
  for (;;) {
    const { executions } = await suite.client.listExecutions({ parentExecutionId });
    if (executions.length === count)
      return new Map(executions.map(({ parent, executionId }) => [parent?.nodeId ?? "", executionId]));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function untilCalled(executionId: string): Promise<string> {
  for (;;) {
    const { execution } = await suite.client.getExecution({ executionId });
    const output = execution?.nodes.find(({ nodeId }) => nodeId === "call")?.output;
    if (output !== undefined) return (toJson(ValueSchema, output) as { execution_id: string }).execution_id;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
