import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { FinishedKeyPolicy, RunningKeyPolicy } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PATIENT } from "./support/sources.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const START = { workflowId: "patient", workflowKey: "order-17" };

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite();
  suite.publish(PATIENT);
});
afterEach(() => suite.stop());

describe("a business key", () => {
  it("has one execution that runs, however many starts race for it, also across a crash", async () => {
    const starts = await Promise.allSettled(Array.from({ length: 40 }, () => suite.client.startExecution(START)));
    const created = starts.filter((start) => start.status === "fulfilled");
    expect(created).toHaveLength(1);
    for (const start of starts) {
      if (start.status === "rejected") expect(start.reason).toMatchObject({ reason: "WORKFLOW_KEY_RUNNING" });
    }
    await suite.crash();
    await expect(suite.client.startExecution(START)).rejects.toMatchObject({ reason: "WORKFLOW_KEY_RUNNING" });
    const { executions } = await listed(1);
    expect(executions[0]).toMatchObject({ workflowKey: "order-17", status: ExecutionStatus.RUNNING });
  });

  it("gives the one that runs, where that is asked for", async () => {
    const first = await suite.client.startExecution(START);
    const second = await suite.client.startExecution({ ...START, whenRunning: RunningKeyPolicy.USE_EXISTING });
    expect(second).toMatchObject({ created: false, execution: { executionId: first.execution!.executionId } });
    const third = await suite.client.startExecution({
      ...START,
      requestId: "r",
      input: { other: true },
      whenRunning: RunningKeyPolicy.USE_EXISTING,
    });
    expect(third).toMatchObject({ created: false, execution: { executionId: first.execution!.executionId } });
  });

  it("cancels the one that runs, where that is asked for, and only one takes its place", async () => {
    const { execution: first } = await suite.client.startExecution(START);
    const replace = { ...START, whenRunning: RunningKeyPolicy.CANCEL_EXISTING };
    const { execution: second, created } = await suite.client.startExecution(replace);
    expect(created).toBe(true);
    expect(await statusOf(first!.executionId)).toBe(ExecutionStatus.CANCELED);
    expect(await statusOf(second!.executionId)).toBe(ExecutionStatus.RUNNING);
    await Promise.all(Array.from({ length: 10 }, () => suite.client.startExecution(replace)));
    const { executions } = await listed(12);
    expect(executions.filter(({ status }) => status === ExecutionStatus.RUNNING)).toHaveLength(1);
  });

  it("gives the same execution for the same request id, also when that has ended", async () => {
    const request = { ...START, requestId: "r1" };
    const { execution } = await suite.client.startExecution(request);
    await suite.client.signalExecution({ executionId: execution!.executionId, name: "go" });
    await suite.crash();
    const again = await suite.client.startExecution(request);
    expect(again).toMatchObject({ created: false, execution: { executionId: execution!.executionId } });
    // Another key is another scope, in another partition.
    const other = await suite.client.startExecution({ ...request, workflowKey: "order-18" });
    expect(other.created).toBe(true);
    await listed(1, "order-18");
  });

  it("lets another one start after the end as the policy says, before and after it is projected", async () => {
    const allowIfFailed = { ...START, whenFinished: FinishedKeyPolicy.ALLOW_IF_FAILED };
    const { execution: first } = await suite.client.startExecution(START);
    await suite.client.cancelExecution({ executionId: first!.executionId });
    await expect(
      suite.client.startExecution({ ...START, whenFinished: FinishedKeyPolicy.REJECT }),
    ).rejects.toMatchObject({ reason: "WORKFLOW_KEY_USED" });
    const { execution: second } = await suite.client.startExecution(allowIfFailed);
    await suite.client.signalExecution({ executionId: second!.executionId, name: "go" });
    await expect(suite.client.startExecution(allowIfFailed)).rejects.toMatchObject({ reason: "WORKFLOW_KEY_USED" });
    await suite.restart();
    await expect(suite.client.startExecution(allowIfFailed)).rejects.toMatchObject({ reason: "WORKFLOW_KEY_USED" });
    expect((await suite.client.startExecution(START)).created).toBe(true);
  });
});

async function listed(count: number, workflowKey = "order-17") {
  for (;;) {
    const list = await suite.client.listExecutions({ workflowKey });
    if (list.executions.length >= count) return list;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function statusOf(executionId: string): Promise<ExecutionStatus | undefined> {
  return (await suite.client.getExecution({ executionId })).execution?.status;
}
