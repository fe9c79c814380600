import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completed } from "./support/scripted-scheduler.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const LIMITED = `
workflow:
  id: limited
  type: dag
  nodes:
    - { id: work, type: tool, tool: t, total_timeout: 700ms }
`;
const QUEUED = `
workflow:
  id: queued
  type: dag
  nodes:
    - { id: work, type: tool, tool: t, queue_timeout: 500ms, progress_timeout: 300ms }
`;
const CHARGE = `
workflow:
  id: charge
  type: dag
  nodes:
    - { id: pay, type: tool, tool: t, on_error: [{ class: technical, action: skip }, { class: business, continue: "\${error.details.code}" }] }
    - { id: told, type: action, subtype: transform, params: { value: "\${pay.error.class}" }, dependencies: [pay] }
  output: { code: "\${pay.output}", class: "\${told.output}" }
`;

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite();
  suite.publish(LIMITED);
  suite.publish(QUEUED);
  suite.publish(CHARGE);
});
afterEach(() => suite.stop());

describe("time-outs over a crash", () => {
  it("the time of all attempts goes on, and the attempt under way is stopped", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "limited" });
    const id = execution!.executionId;
    await until(() => suite.scheduler.seen.length === 1);
    await suite.crash();
    await until(async () => (await find(id)).status === ExecutionStatus.FAILED);
    const { failure, nodes } = await find(id);
    expect(failure).toMatchObject({ type: "total_timeout", nodeId: "work" });
    expect(nodes[0]?.attempt).toBe(1);
    await until(() => suite.scheduler.canceled.includes(`${id}/work/1`));
    const { events } = await suite.client.listHistory({ executionId: id });
    const failed = events.find(({ event }) => event.case === "taskFailed");
    expect(failed?.event.value).toMatchObject({ attempt: 1, stopped: true, retryAtMs: 0n });
    const [begun, ended] = [events[1], failed].map(
      (event) => Number(event!.occurredAt!.seconds) * 1_000 + event!.occurredAt!.nanos / 1e6,
    );
    expect(ended! - begun!).toBeGreaterThanOrEqual(700);
  });

  it("the scheduler is told again since when an attempt waits", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "queued" });
    const taskId = `${execution!.executionId}/work/1`;
    await until(() => suite.scheduler.open.has(taskId));
    const before = suite.scheduler.open.get(taskId)!;
    expect(before).toMatchObject({ queueTimeoutMs: 500n, progressTimeoutMs: 300n });
    await suite.crash();
    await until(() => suite.scheduler.seen.length === 2);
    expect(suite.scheduler.open.get(taskId)?.scheduledAtMs).toBe(before.scheduledAtMs);
  });
});

describe("business exceptions", () => {
  it("are not retried, keep their class over a crash, and are handled by it", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "charge" });
    const id = execution!.executionId;
    await until(() => suite.scheduler.open.size === 1);
    const details = { form: { case: "json" as const, value: '{"code":51}' } };
    const failure = { type: "card_declined", message: "no", business: true, details };
    suite.scheduler.send([completed({ taskId: `${id}/pay/1` }, { failure })]);
    await until(async () => (await find(id)).status === ExecutionStatus.COMPLETED);
    await suite.crash();
    const { output, nodes } = await find(id);
    expect(output).toMatchObject({ kind: { case: "structValue" } });
    expect(nodes[0]).toMatchObject({ attempt: 1, failure: { type: "card_declined", business: true } });
    expect(suite.scheduler.seen).toHaveLength(1);
  });
});

async function find(id: string) {
  const { execution } = await suite.client.getExecution({ executionId: id });
  return execution!;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
