import { BatchStatus } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import { BatchService } from "@heddle/proto/heddle/execution/v1/batch_service_pb.js";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { createRpcClient } from "@heddle/rpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PATIENT } from "./support/sources.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const COUNTING = `
workflow:
  id: counting
  type: dag
  nodes:
    - { id: first, type: action, subtype: wait, params: { signal: go } }
    - { id: second, type: action, subtype: wait, params: { signal: go }, dependencies: [first] }
`;

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite();
  suite.publish(PATIENT);
  suite.publish(COUNTING);
});
afterEach(() => suite.stop());

const client = () => createRpcClient(BatchService, suite.transport);
const cancel = { operation: { case: "cancel" as const, value: { reason: "batch" } } };
const acme = { attributes: [{ name: "customer", condition: { case: "equals" as const, value: text("acme") } }] };

function text(value: string) {
  return { kind: { case: "stringValue" as const, value } };
}

describe("a batch", () => {
  it("counts without doing anything in a dry run, then does it to those that fit, once each", async () => {
    const mine = await startMany(30, "acme");
    const others = await startMany(3, "bolt");
    const request = { filter: acme, operation: cancel, pace: { ratePerSecond: 1_000 } };
    const dry = await client().createBatch({ ...request, dryRun: true });
    expect(dry).toMatchObject({ created: false, batch: { status: BatchStatus.DRY_RUN, matched: 30n, batchId: "" } });
    expect(dry.matchedByStatus).toMatchObject([{ status: ExecutionStatus.RUNNING, count: 30n }]);
    expect((await client().listBatches({})).batches).toEqual([]);

    const { batch, created } = await client().createBatch({ ...request, requestId: "b1" });
    expect(created).toBe(true);
    const again = await client().createBatch({ ...request, requestId: "b1" });
    expect(again).toMatchObject({ created: false, batch: { batchId: batch!.batchId } });
    await until(async () => (await get(batch!.batchId)).status === BatchStatus.COMPLETED);
    expect(await get(batch!.batchId)).toMatchObject({ matched: 30n, succeeded: 30n, failed: 0n, skipped: 0n });
    for (const id of mine) expect(await statusOf(id)).toBe(ExecutionStatus.CANCELED);
    for (const id of others) expect(await statusOf(id)).toBe(ExecutionStatus.RUNNING);
    await expect(client().cancelBatch({ batchId: batch!.batchId })).rejects.toMatchObject({ reason: "BATCH_FINISHED" });
  });

  it("goes on after a crash where it was: each execution has its signal once", async () => {
    const ids = await startMany(60, "acme", "counting");
    const operation = { operation: { case: "signal" as const, value: { name: "go" } } };
    const { batch } = await client().createBatch({ filter: acme, operation, pace: { ratePerSecond: 40 } });
    await until(async () => (await get(batch!.batchId)).succeeded >= 40n);
    await suite.crash();
    await until(async () => (await get(batch!.batchId)).status === BatchStatus.COMPLETED);
    expect(await get(batch!.batchId)).toMatchObject({ matched: 60n, succeeded: 60n, failed: 0n });
    for (const id of ids) {
      const { events } = await suite.client.listHistory({ executionId: id });
      expect(events.filter(({ event }) => event.case === "signalReceived")).toHaveLength(1);
      expect(await statusOf(id)).toBe(ExecutionStatus.RUNNING);
    }
  });

  it("tries again what a dead process had claimed and not yet told the outcome of", async () => {
    const [first] = await startMany(5, "acme");
    const { batch } = await client().createBatch({ filter: acme, operation: cancel, pace: { canary: 1 } });
    const { batchId } = batch!;
    await until(async () => (await get(batchId)).status === BatchStatus.PAUSED);
    // As if it had died between the claim and the outcome of one that it had canceled.
    const database = suite.testDatabase.open();
    await database.query({
      text: "insert into batch_targets (batch_id, execution_id) values ($1, $2)",
      values: [batchId, first],
    });
    await client().resumeBatch({ batchId });
    await until(async () => (await get(batchId)).status === BatchStatus.COMPLETED);
    expect(await get(batchId)).toMatchObject({ succeeded: 6n, failed: 0n });
  });

  it("pauses after its canary, and can be resumed or canceled", async () => {
    await startMany(12, "acme");
    const request = { filter: acme, operation: cancel, pace: { canary: 4, ratePerSecond: 1_000 } };
    const { batch } = await client().createBatch(request);
    const { batchId } = batch!;
    await until(async () => (await get(batchId)).status === BatchStatus.PAUSED);
    expect(await get(batchId)).toMatchObject({ succeeded: 4n });
    expect((await get(batchId)).reason).toContain("canary of 4");
    await client().resumeBatch({ batchId });
    await until(async () => (await get(batchId)).status === BatchStatus.COMPLETED);
    expect(await get(batchId)).toMatchObject({ succeeded: 12n, skipped: 0n, reason: "" });

    await startMany(12, "acme");
    const second = (await client().createBatch(request)).batch!.batchId;
    await until(async () => (await get(second)).status === BatchStatus.PAUSED);
    await client().cancelBatch({ batchId: second, reason: "wrong filter" });
    await client().cancelBatch({ batchId: second });
    expect(await get(second)).toMatchObject({ status: BatchStatus.CANCELED, succeeded: 4n });
    await until(async () => {
      const { executions } = await suite.client.listExecutions({ status: ExecutionStatus.RUNNING });
      return executions.length === 8;
    });
  });

  it("starts each failed execution once more, and not what it has started itself", async () => {
    const ids = await startMany(8, "acme");
    const ended = (await client().createBatch({ filter: acme, operation: cancel })).batch!.batchId;
    await until(async () => (await get(ended)).status === BatchStatus.COMPLETED);
    const operation = { operation: { case: "rerun" as const, value: {} } };
    const { batch } = await client().createBatch({ filter: acme, operation });
    await until(async () => (await get(batch!.batchId)).status === BatchStatus.COMPLETED);
    expect(await get(batch!.batchId)).toMatchObject({ succeeded: 8n, failed: 0n });
    await until(async () => {
      const { executions } = await suite.client.listExecutions({ status: ExecutionStatus.RUNNING });
      return executions.length === 8 && executions.every(({ executionId }) => !ids.includes(executionId));
    });
  });

  it("leaves out what is started after it, though its id be older: a rerun has the time of what it repeats in its id", async () => {
    const ids = await startMany(3, "acme");
    await suite.client.cancelExecution({ executionId: ids[1]! });
    const database = suite.testDatabase.open();
    await until(
      async () => (await suite.client.listExecutions({ status: ExecutionStatus.CANCELED })).executions.length > 0,
    );
    // As a rerun of the first that has ended already.
    await database.query({
      text: "update executions set started_at = now() + interval '1 minute' where execution_id = $1",
      values: [ids[1]],
    });
    await suite.client.cancelExecution({ executionId: ids[2]! });
    const operation = { operation: { case: "rerun" as const, value: {} } };
    const { batch } = await client().createBatch({ filter: acme, operation });
    await until(async () => (await get(batch!.batchId)).status === BatchStatus.COMPLETED);
    expect(await get(batch!.batchId)).toMatchObject({ succeeded: 1n, failed: 0n, skipped: 0n });
  });

  it("stops when too many fail, and says which and why", async () => {
    await startMany(15, "acme");
    const operation = {
      operation: { case: "signal" as const, value: { name: "go", payload: text("x".repeat(1_100_000)) } },
    };
    const { batch } = await client().createBatch({ filter: acme, operation, pace: { maxErrorPercent: 20 } });
    await until(async () => (await get(batch!.batchId)).status === BatchStatus.STOPPED);
    const stopped = await get(batch!.batchId);
    expect(stopped.reason).toContain("more than 20%");
    expect(stopped.failures[0]).toMatchObject({ reason: "PAYLOAD_TOO_LARGE" });
  });
});

async function startMany(count: number, customer: string, workflowId = "patient"): Promise<string[]> {
  const starts = Array.from({ length: count }, () =>
    suite.client.startExecution({ workflowId, searchAttributes: { customer } }),
  );
  const ids = (await Promise.all(starts)).map(({ execution }) => execution!.executionId);
  return ids.toSorted();
}

async function get(batchId: string) {
  const { batch } = await client().getBatch({ batchId });
  return batch!;
}

async function statusOf(executionId: string): Promise<ExecutionStatus | undefined> {
  return (await suite.client.getExecution({ executionId })).execution?.status;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
