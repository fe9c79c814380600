import { DiagnosticsService } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { createRpcClient } from "@heddle/rpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PATIENT } from "./support/sources.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const SHORT = PATIENT.replace("id: patient", "id: short\n  retention: 100ms");
const PARENT = `
workflow:
  id: parent
  type: dag
  nodes:
    - { id: child, type: sub_workflow, workflow_id: short }
    - { id: wait, type: action, subtype: wait, params: { signal: go }, dependencies: [child] }
`;

const SHORT_LIVED = "type: dag\n  retention: 100ms";
const TRIP = `
workflow:
  id: trip
  ${SHORT_LIVED}
  nodes:
    - { id: stay, type: sub_workflow, workflow_id: stay }
    - { id: wait, type: action, subtype: wait, params: { signal: go }, dependencies: [stay] }
    - { id: pay, type: tool, tool: pay, dependencies: [wait], retry: { max_attempts: 1 } }
`;
const STAY = `
workflow:
  id: stay
  ${SHORT_LIVED}
  nodes:
    - { id: evening, type: sub_workflow, workflow_id: evening }
`;
const EVENING = `
workflow:
  id: evening
  ${SHORT_LIVED}
  nodes:
    - { id: dinner, type: tool, tool: book, compensate: { tool: undo } }
`;

let suite: ExecutionSuite;
beforeEach(async () => {
  const retention = { byNamespace: new Map([["brief", 200]]) };
  suite = await startExecutionSuite(undefined, undefined, { retention, purgeIntervalMs: 50 });
  for (const source of [PATIENT, SHORT, PARENT]) suite.publish(source);
});
afterEach(() => suite.stop());

describe("retention", () => {
  it("purges what has ended, by its definition or its namespace, and nothing else; a crash delays it only", async () => {
    const running = await start("short");
    const kept = await start("patient");
    const own = await start("short", { searchAttributes: { customer: "acme" } });
    const brief = await start("patient", { namespace: "brief" });
    for (const executionId of [kept, own, brief]) await go(executionId);
    await suite.crash();
    await until(async () => (await isGone(own)) && (await isGone(brief)));
    expect(await statusOf(running)).toBe(ExecutionStatus.RUNNING);
    expect(await statusOf(kept)).toBe(ExecutionStatus.COMPLETED);
    expect(await countRows(own)).toEqual({ executions: 0, history: 0, execution_attributes: 0, purged_executions: 1 });

    const diagnostics = createRpcClient(DiagnosticsService, suite.transport);
    const { executions } = await diagnostics.scanExecutions({ executionIds: [own, kept] });
    expect(executions.map(({ executionId, purged }) => [executionId, purged])).toEqual([
      [kept, false],
      [own, true],
    ]);
    expect(executions[1]?.lastSeq).toBe(5n);
  });

  it("keeps a sub-workflow as long as its parent runs", async () => {
    const parent = await start("parent");
    await until(async () => (await childOf(parent)) !== undefined);
    const child = (await childOf(parent)) as string;
    await until(async () => !(await isGone(child)));
    await go(child);
    await until(async () => (await suite.client.listHistory({ executionId: parent })).events.length >= 4);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await statusOf(child)).toBe(ExecutionStatus.COMPLETED);
    await expect(suite.client.deleteExecution({ executionId: child })).rejects.toMatchObject({
      reason: "EXECUTION_NOT_FINISHED",
    });
    await go(parent);
    await until(() => isGone(child));
  });

  it("keeps what a running execution may undo, however deep, and lets it go with it", async () => {
    for (const source of [TRIP, STAY, EVENING]) suite.publish(source);
    suite.scheduler.answer = ({ taskId }) =>
      taskId.includes("/pay/") ? { failure: { type: "no_money", message: "no", nonRetryable: true } } : { output: 1 };
    const trip = await start("trip");
    await until(async () => (await waitingNodes(trip)).includes("wait"));
    const stay = (await childOf(trip)) as string;
    const evening = (await childOf(stay)) as string;
    await expect(suite.client.deleteExecution({ executionId: evening })).rejects.toMatchObject({
      reason: "EXECUTION_NOT_FINISHED",
      message: expect.stringContaining(trip),
    });
    // One that nothing keeps goes meanwhile: the purge has looked at those that are kept too.
    const other = await start("short");
    await go(other);
    await until(() => isGone(other));
    expect(await statusOf(evening)).toBe(ExecutionStatus.COMPLETED);
    await go(trip);
    await until(async () => suite.scheduler.seen.some((taskId) => taskId.includes("/dinner.compensate/")));
    await until(async () => (await isGone(trip)) && (await isGone(stay)) && (await isGone(evening)));
  });
});

describe("payloads", () => {
  it("go with the last execution that uses them", async () => {
    const input = { text: "ü".repeat(100_000) };
    const first = await start("patient", { input });
    const second = await start("patient", { input });
    const { events } = await suite.client.listHistory({ executionId: first });
    const begun = events[0]!.event;
    const form = begun.case === "executionStarted" ? begun.value.input?.form : undefined;
    if (form?.case !== "reference") throw new Error("the input was not claimed");
    const { digest } = form.value;
    await go(first);
    await suite.client.deleteExecution({ executionId: first });
    await suite.crash();
    expect((await suite.client.getPayload({ digest })).payload).toBeDefined();
    await go(second);
    await suite.client.deleteExecution({ executionId: second });
    await expect(suite.client.getPayload({ digest })).rejects.toMatchObject({ reason: "PAYLOAD_NOT_FOUND" });
    // What comes after it is stored anew.
    await start("patient", { input });
    expect((await suite.client.getPayload({ digest })).payload).toBeDefined();
  });

  it("are there for whoever names them while others go", async () => {
    const input = { text: "x".repeat(100_000) };
    for (let round = 0; round < 10; round++) {
      const executionId = await start("patient", { input });
      await go(executionId);
      const [, next] = await Promise.all([suite.client.deleteExecution({ executionId }), start("patient", { input })]);
      await suite.crash();
      const { execution } = await suite.client.getExecution({ executionId: next });
      expect(execution?.input).toEqual(input);
      await go(next);
    }
  });
});

describe("DeleteExecution", () => {
  it("deletes at once what has ended, and refuses what has not", async () => {
    const executionId = await start("patient");
    await expect(suite.client.deleteExecution({ executionId })).rejects.toMatchObject({
      reason: "EXECUTION_NOT_FINISHED",
    });
    await go(executionId);
    await suite.client.deleteExecution({ executionId });
    expect(await isGone(executionId)).toBe(true);
    await expect(suite.client.deleteExecution({ executionId })).rejects.toMatchObject({
      reason: "EXECUTION_NOT_FOUND",
    });
    await suite.crash();
    expect(await isGone(executionId)).toBe(true);
    expect((await suite.client.listExecutions({})).executions).toEqual([]);
  });
});

async function start(workflowId: string, more: object = {}): Promise<string> {
  const { execution } = await suite.client.startExecution({ workflowId, ...more });
  return execution!.executionId;
}

async function go(executionId: string): Promise<void> {
  await suite.client.signalExecution({ executionId, name: "go" });
}

async function statusOf(executionId: string): Promise<ExecutionStatus | undefined> {
  return (await suite.client.getExecution({ executionId })).execution?.status;
}

async function waitingNodes(executionId: string): Promise<string[]> {
  const { execution } = await suite.client.getExecution({ executionId });
  return (execution?.nodes ?? []).filter(({ status }) => status === NodeStatus.WAITING).map(({ nodeId }) => nodeId);
}

async function childOf(executionId: string): Promise<string | undefined> {
  const { execution } = await suite.client.getExecution({ executionId });
  return execution?.nodes.find(({ childId }) => childId !== "")?.childId;
}

async function isGone(executionId: string): Promise<boolean> {
  try {
    await suite.client.getExecution({ executionId });
    return false;
  } catch (error) {
    expect(error).toMatchObject({ reason: "EXECUTION_NOT_FOUND" });
    return true;
  }
}

async function countRows(id: string): Promise<Record<string, number>> {
  const tables = {
    executions: "execution_id",
    history: "id",
    execution_attributes: "execution_id",
    purged_executions: "execution_id",
  };
  const counts: Record<string, number> = {};
  for (const [table, column] of Object.entries(tables)) {
    const { rows } = await suite.testDatabase.open().query<{ count: number }>({
      text: `select count(*)::integer as count from ${table} where ${column} = $1`,
      values: [id],
    });
    counts[table] = rows[0]!.count;
  }
  return counts;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
