import { fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "@heddle/engine";
import { type BatchResolveIncidentsSchema, BatchStatus } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import { BatchService } from "@heddle/proto/heddle/execution/v1/batch_service_pb.js";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { createRpcClient } from "@heddle/rpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const ORDER = `
workflow:
  id: order
  type: dag
  nodes:
    - { id: pay, type: tool, tool: charge, retry: { max_attempts: 1 }, on_error: incident, inputs: "\${input}" }
    - id: send
      type: control
      subtype: group
      on_error: incident
      nodes: [{ id: parcel, type: tool, tool: charge, retry: { max_attempts: 1 }, inputs: { fault: "\${input.parcel ?? null}" } }]
`;

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite((_task, input) => {
    const { fault } = input as { fault?: string | null };
    return fault ? { failure: { type: fault, message: `it is ${fault}`, nonRetryable: true } } : { output: "paid" };
  });
  suite.publish(ORDER);
});
afterEach(() => suite.stop());

const client = () => createRpcClient(BatchService, suite.transport);
const resolving = (value: MessageInitShape<typeof BatchResolveIncidentsSchema>) => ({
  operation: { case: "resolveIncidents" as const, value },
});
const retry = (input?: JsonObject) => ({
  case: "retry" as const,
  value: input === undefined ? {} : { input: fromJson(ValueSchema, input) },
});
const read = async (executionId: string) => (await suite.client.getExecution({ executionId })).execution!;
const get = async (batchId: string) => (await client().getBatch({ batchId })).batch!;

/** Starts some, and waits until their incidents are open. */
async function failMany(count: number, input: JsonObject): Promise<string[]> {
  const faults = ["fault", "parcel"].filter((name) => name in input).length;
  const starts = Array.from({ length: count }, () => suite.client.startExecution({ workflowId: "order", input }));
  const ids = (await Promise.all(starts)).map(({ execution }) => execution!.executionId);
  for (const id of ids) await until(async () => (await read(id)).openIncidents === faults);
  return ids;
}

async function finished(batchId: string, status = BatchStatus.COMPLETED) {
  await until(async () => (await get(batchId)).status === status);
  return await get(batchId);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 15_000, interval: 10 }).toBe(true);
}

describe("a batch that resolves incidents", () => {
  it("resolves those of a failure and a node, and leaves all others", async () => {
    const closed = await failMany(6, { fault: "closed" });
    const broke = await failMany(2, { fault: "broke" });
    const parcels = await failMany(2, { parcel: "closed" });
    const both = await failMany(1, { fault: "closed", parcel: "closed" });
    const operation = resolving({ failureType: "closed", nodeId: "pay", resolution: retry({}), reason: "it opened" });
    const dry = await client().createBatch({ operation, dryRun: true });
    expect(dry).toMatchObject({ batch: { matched: 7n }, matchedByStatus: [{ status: ExecutionStatus.RUNNING }] });
    expect((await suite.client.listIncidents({})).incidents).toHaveLength(12);

    const { batch } = await client().createBatch({ operation });
    expect(await finished(batch!.batchId)).toMatchObject({ matched: 7n, succeeded: 7n, failed: 0n, skipped: 0n });
    for (const id of closed) await until(async () => (await read(id)).status === ExecutionStatus.COMPLETED);
    for (const id of [...broke, ...parcels, ...both]) expect((await read(id)).openIncidents).toBe(1);
    // There is nothing to resolve any more.
    expect(await client().createBatch({ operation, dryRun: true })).toMatchObject({ batch: { matched: 0n } });

    const rest = resolving({ resolution: { case: "skip", value: true } });
    const second = await client().createBatch({ filter: { hasIncidents: true }, operation: rest });
    expect(await finished(second.batch!.batchId)).toMatchObject({ matched: 5n, succeeded: 5n });
    for (const id of [...broke, ...parcels, ...both]) expect((await read(id)).status).toBe(ExecutionStatus.COMPLETED);
  });

  it("resolves each once over a crash, also when it fails again at once", async () => {
    const ids = await failMany(40, { fault: "closed" });
    const operation = resolving({ resolution: retry() });
    const { batch } = await client().createBatch({ operation, pace: { ratePerSecond: 20 } });
    await until(async () => (await get(batch!.batchId)).succeeded >= 20n);
    await suite.crash();
    // Those that the process that died had resolved and not yet counted have no need of it any more.
    const { succeeded, skipped, failed } = await finished(batch!.batchId);
    expect([succeeded + skipped, failed]).toEqual([40n, 0n]);
    for (const id of ids) {
      const { events } = await suite.client.listHistory({ executionId: id });
      expect(events.filter(({ event }) => event.case === "incidentResolved")).toHaveLength(1);
      await until(async () => (await read(id)).openIncidents === 1);
    }
  });

  it("pauses after its canary, and stops when too many cannot be resolved like this", async () => {
    await failMany(12, { parcel: "closed" });
    // The input of a group cannot be mended.
    const operation = resolving({ resolution: retry({ fault: null }) });
    const { batch } = await client().createBatch({ operation, pace: { canary: 2 } });
    expect(await finished(batch!.batchId, BatchStatus.PAUSED)).toMatchObject({
      failed: 2n,
      failures: [{ reason: "RESOLUTION_NOT_POSSIBLE" }, { reason: "RESOLUTION_NOT_POSSIBLE" }],
    });
    await client().cancelBatch({ batchId: batch!.batchId });
    const bad = await client().createBatch({ operation, pace: { maxErrorPercent: 20 } });
    expect((await finished(bad.batch!.batchId, BatchStatus.STOPPED)).reason).toContain("more than 20%");
    expect((await suite.client.listIncidents({})).incidents).toHaveLength(12);

    const output = fromJson(ValueSchema, "by hand");
    const mended = await client().createBatch({
      operation: resolving({ nodeId: "send", resolution: { case: "complete", value: output } }),
    });
    expect(await finished(mended.batch!.batchId)).toMatchObject({ succeeded: 12n });
  });

  it("is refused without a way to go on", async () => {
    await expect(client().createBatch({ operation: resolving({}) })).rejects.toMatchObject({
      kind: "invalid_argument",
    });
  });
});
