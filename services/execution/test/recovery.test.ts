import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completed } from "./support/scripted-scheduler.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const PARENT = `
workflow:
  id: parent
  type: dag
  nodes:
    - { id: child, type: sub_workflow, workflow_id: child, inputs: { n: "\${input.n}" } }
    - { id: after, type: action, subtype: transform, params: { value: "\${child.output.doubled + 1}" } }
  output: "\${after.output}"
`;
const CHILD = `
workflow:
  id: child
  type: dag
  nodes:
    - { id: work, type: tool, tool: double, inputs: { n: "\${input.n}" } }
  output: { doubled: "\${work.output.n}" }
`;

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite();
  suite.publish(PARENT);
  suite.publish(CHILD);
});
afterEach(() => suite.stop());

describe("after a crash", () => {
  it("open tasks are said again under the same id, and everything ends as if nothing had happened", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) {
      const { execution } = await suite.client.startExecution({ workflowId: "child", input: { n } });
      ids.push(execution!.executionId);
    }
    const before = new Set(suite.scheduler.seen);
    await suite.crash();
    await until(() => suite.scheduler.seen.length >= before.size * 2);
    expect(new Set(suite.scheduler.seen)).toEqual(before);
    suite.scheduler.send(ids.map((id, n) => completed({ taskId: `${id}/work/1` }, { output: { n: n * 2 } })));
    for (const [n, id] of ids.entries()) {
      await until(async () => (await statusOf(id)) === ExecutionStatus.COMPLETED);
      expect(await outputOf(id)).toEqual({ doubled: n * 2 });
    }
  });

  it("recovers with the definition service away", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "child", input: { n: 1 } });
    suite.setDefinitionsDown(true);
    const requests = suite.planRequests();
    await suite.crash();
    expect(await statusOf(execution!.executionId)).toBe(ExecutionStatus.RUNNING);
    expect(suite.planRequests()).toBe(requests);
  });

  it("a parent gets the result of a child that ended before or after", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "parent", input: { n: 20 } });
    const id = execution!.executionId;
    await until(() => suite.scheduler.open.size === 1);
    await suite.crash();
    await until(() => suite.scheduler.seen.length === 2);
    const [task] = suite.scheduler.open.values();
    suite.scheduler.send([completed(task!, { output: { n: 40 } })]);
    await until(async () => (await statusOf(id)) === ExecutionStatus.COMPLETED);
    expect(await outputOf(id)).toBe(41);
    const { execution: child } = await suite.client.getExecution({ executionId: task!.taskId.slice(0, 36) });
    expect(child?.parent).toMatchObject({ executionId: id, nodeId: "child" });
  });

  it("timers that came due meanwhile fire", async () => {
    suite.publish(`
workflow:
  id: timed
  type: dag
  nodes: [{ id: nap, type: action, subtype: wait, params: { duration: 300ms } }]
`);
    const { execution } = await suite.client.startExecution({ workflowId: "timed" });
    await suite.crash();
    await until(async () => (await statusOf(execution!.executionId)) === ExecutionStatus.COMPLETED);
    const { events } = await suite.client.listHistory({ executionId: execution!.executionId });
    const [, wait, woke] = events.map(
      (event) => Number(event.occurredAt!.seconds) * 1000 + event.occurredAt!.nanos / 1e6,
    );
    expect(woke! - wait!).toBeGreaterThanOrEqual(300);
  });

  it("large payloads are found again", async () => {
    const text = "ü".repeat(100_000);
    const { execution } = await suite.client.startExecution({ workflowId: "child", input: { n: text } });
    const id = execution!.executionId;
    await suite.crash();
    await until(() => suite.scheduler.seen.length === 2);
    suite.scheduler.send([completed({ taskId: `${id}/work/1` }, { output: { n: text } })]);
    await until(async () => (await statusOf(id)) === ExecutionStatus.COMPLETED);
    await suite.restart();
    expect(await outputOf(id)).toEqual({ doubled: text });
    const { events } = await suite.client.listHistory({ executionId: id });
    const started = events[0]!.event;
    if (started.case !== "executionStarted") throw new Error("no start");
    const form = started.value.input?.form;
    if (form?.case !== "reference") throw new Error("the input was not claimed");
    const { payload } = await suite.client.getPayload({ digest: form.value.digest });
    expect(JSON.parse(payload!.form.value as string)).toEqual({ n: text });
    await expect(suite.client.getPayload({ digest: "0".repeat(64) })).rejects.toMatchObject({
      reason: "PAYLOAD_NOT_FOUND",
    });
  });

  it("every event is published, in order per execution, without gaps", async () => {
    suite.scheduler.answer = (_, input) => ({ output: input });
    const ids = new Set<string>();
    for (let n = 0; n < 10; n++) {
      if (n === 5) await suite.crash();
      const { execution } = await suite.client.startExecution({
        workflowId: "child",
        input: { n },
        wait: { seconds: 20n },
      });
      ids.add(execution!.executionId);
    }
    await suite.restart();
    const histories = new Map<string, number[]>();
    for (const id of ids) {
      const { events } = await suite.client.listHistory({ executionId: id });
      histories.set(
        id,
        events.map((event) => Number(event.seq)),
      );
    }
    await until(() => new Set(suite.published.map((message) => message.headers.ce_id)).size === sum(histories));
    for (const [id, seqs] of histories) {
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      const published = suite.published
        .filter((message) => message.key === id)
        .map((message) => Number(message.headers.ce_id.slice(37)));
      expect([...new Set(published)]).toEqual(seqs);
    }
  });
});

describe("sub-workflows", () => {
  it("are canceled with their parent", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "parent", input: { n: 1 } });
    await until(() => suite.scheduler.open.size === 1);
    const [task] = suite.scheduler.open.values();
    await suite.client.cancelExecution({ executionId: execution!.executionId, reason: "stop" });
    await until(async () => (await statusOf(task!.taskId.slice(0, 36))) === ExecutionStatus.CANCELED);
    await until(() => suite.scheduler.canceled.includes(task!.taskId));
  });

  it("that cannot start fail their node with the reason", async () => {
    suite.publish(PARENT.replace("id: parent", "id: lost").replace("workflow_id: child", "workflow_id: nowhere"));
    const { execution } = await suite.client.startExecution({
      workflowId: "lost",
      input: { n: 1 },
      wait: { seconds: 20n },
    });
    expect(execution?.status).toBe(ExecutionStatus.FAILED);
    expect(execution?.failure).toMatchObject({ type: "definition_not_found", nodeId: "child" });
  });

  it("wait for the definition service to come back", async () => {
    suite.scheduler.answer = (_, input) => ({ output: input });
    suite.publish(`
workflow:
  id: patient
  type: dag
  nodes:
    - { id: hold, type: action, subtype: wait, params: { signal: go } }
    - { id: child, type: sub_workflow, workflow_id: child, inputs: { n: 1 }, dependencies: [hold] }
`);
    const { execution } = await suite.client.startExecution({ workflowId: "patient" });
    const id = execution!.executionId;
    suite.setDefinitionsDown(true);
    await suite.client.signalExecution({ executionId: id, name: "go" });
    const requests = suite.planRequests();
    await until(() => suite.planRequests() >= requests + 2);
    expect(await statusOf(id)).toBe(ExecutionStatus.RUNNING);
    suite.setDefinitionsDown(false);
    await until(async () => (await statusOf(id)) === ExecutionStatus.COMPLETED);
  });

  it("cannot nest without end", async () => {
    suite.publish(`
workflow:
  id: endless
  type: dag
  nodes: [{ id: again, type: sub_workflow, workflow_id: endless }]
`);
    const { execution } = await suite.client.startExecution({ workflowId: "endless", wait: { seconds: 60n } });
    expect(execution?.status).toBe(ExecutionStatus.FAILED);
    expect(execution?.failure?.message).toContain("nested 33 deep");
  });
});

async function statusOf(id: string): Promise<ExecutionStatus | undefined> {
  return (await suite.client.getExecution({ executionId: id })).execution?.status;
}

async function outputOf(id: string): Promise<unknown> {
  const { execution } = await suite.client.getExecution({ executionId: id });
  return toJson(ValueSchema, execution!.output!);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

function sum(histories: Map<string, number[]>): number {
  return [...histories.values()].reduce((total, seqs) => total + seqs.length, 0);
}
