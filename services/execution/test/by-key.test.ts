import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { FinishedKeyPolicy, RunningKeyPolicy } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PATIENT } from "./support/sources.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const BASKET = `
workflow:
  id: basket
  type: dag
  updates:
    - { name: add, set: { items: "\${update.payload.count}" }, reply: "\${vars.items}" }
  queries:
    - { name: count, output: "\${vars.items}" }
  nodes:
    - { id: paid, type: action, subtype: wait, params: { signal: paid } }
`;
const value = (json: JsonValue): Value => fromJson(ValueSchema, json);
const KEY = { workflowKey: "order-17" };
const START = { workflowId: "patient", ...KEY };

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite();
  for (const source of [PATIENT, BASKET]) suite.publish(source);
});
afterEach(() => suite.stop());

describe("a call by business key", () => {
  it("reaches the execution that runs, at once and after a crash", async () => {
    const { execution } = await suite.client.startExecution({ ...START, workflowId: "basket" });
    const { executionId } = execution!;
    expect(await suite.client.updateExecution({ ...KEY, name: "add", payload: value({ count: 2 }) })).toMatchObject({
      executionId,
      reply: value(2),
    });
    await suite.crash();
    expect(await suite.client.queryExecution({ ...KEY, name: "count" })).toMatchObject({
      executionId,
      output: value(2),
    });
    expect((await suite.client.suspendExecution(KEY)).execution?.status).toBe(ExecutionStatus.SUSPENDED);
    expect((await suite.client.resumeExecution(KEY)).execution?.status).toBe(ExecutionStatus.RUNNING);
    await suite.crash();
    const signal = { ...KEY, name: "paid", payload: value("all"), requestId: "s" };
    expect((await suite.client.signalExecution(signal)).execution).toMatchObject({
      executionId,
      status: ExecutionStatus.COMPLETED,
    });
    // As by its id: a repetition is taken for what it is, also after the end.
    expect((await suite.client.signalExecution(signal)).execution?.executionId).toBe(executionId);
  });

  it("goes to the latest one, and reads it also when it has ended", async () => {
    const first = await suite.client.startExecution(START);
    expect((await suite.client.cancelExecution(KEY)).execution?.status).toBe(ExecutionStatus.CANCELED);
    expect((await suite.client.getExecution(KEY)).execution?.executionId).toBe(first.execution?.executionId);
    const { execution } = await suite.client.startExecution(START);
    expect((await suite.client.getExecution(KEY)).execution?.executionId).toBe(execution?.executionId);
    expect((await suite.client.terminateExecution(KEY)).execution?.executionId).toBe(execution?.executionId);
    await suite.restart();
    const { execution: read } = await suite.client.getExecution(KEY);
    expect(read).toMatchObject({ executionId: execution?.executionId, status: ExecutionStatus.CANCELED });
  });

  it("says which key has no execution that could take it", async () => {
    const metadata = { workflow_key: "order-17", namespace: "default" };
    const unknown = { reason: "EXECUTION_NOT_FOUND", metadata, message: expect.stringContaining("order-17") as string };
    await expect(suite.client.signalExecution({ ...KEY, name: "go" })).rejects.toMatchObject(unknown);
    await expect(suite.client.getExecution(KEY)).rejects.toMatchObject(unknown);
    const { execution } = await suite.client.startExecution(START);
    const { executionId } = execution!;
    await expect(suite.client.getExecution({ ...KEY, namespace: "other" })).rejects.toMatchObject({
      metadata: { namespace: "other" },
    });
    await suite.client.signalExecution({ ...KEY, name: "go" });
    const ended = { reason: "EXECUTION_NOT_FOUND", metadata: { ...metadata, execution_id: executionId } };
    await expect(suite.client.signalExecution({ ...KEY, name: "go" })).rejects.toMatchObject(ended);
    await expect(suite.client.cancelExecution(KEY)).rejects.toMatchObject(ended);
    // By its id it is there, and has ended.
    await expect(suite.client.cancelExecution({ executionId })).rejects.toMatchObject({ reason: "EXECUTION_FINISHED" });
  });

  it("must name an id or a key, and not both", async () => {
    const invalid = { reason: "REQUEST_INVALID", violations: [{ field: "execution_id" }] };
    await expect(suite.client.signalExecution({ name: "go" })).rejects.toMatchObject(invalid);
    const { execution } = await suite.client.startExecution(START);
    const both = { executionId: execution!.executionId, ...KEY };
    await expect(suite.client.queryExecution({ ...both, name: "input" })).rejects.toMatchObject(invalid);
  });

  it("takes every signal of many while executions with the key come and go", async () => {
    let taken = 0;
    const senders = Array.from({ length: 8 }, async (_, sender) => {
      for (let n = 0; n < 20; n++) {
        const requestId = `${sender}/${n}`;
        try {
          await suite.client.signalExecution({ ...KEY, name: "go", requestId });
          taken++;
        } catch (error) {
          expect(error).toMatchObject({ reason: "EXECUTION_NOT_FOUND" });
          await suite.client.startExecution({ ...START, whenRunning: RunningKeyPolicy.USE_EXISTING });
        }
      }
    });
    await Promise.all(senders);
    expect(taken).toBeGreaterThan(0);
    let received: string[] = [];
    // Lists are a little behind.
    while (received.length < taken) received = await listReceived();
    expect(received.length).toBe(taken);
    expect(new Set(received).size).toBe(taken);
  });
});

describe("a start with a signal", () => {
  const request = { ...START, signal: { name: "go", payload: value(1), requestId: "s" } };

  it("gives it to the new execution in the same commit, and once", async () => {
    const start = { ...request, requestId: "r" };
    const { execution, created } = await suite.client.startExecution(start);
    expect({ created, status: execution?.status }).toEqual({ created: true, status: ExecutionStatus.COMPLETED });
    await suite.crash();
    const again = await suite.client.startExecution(start);
    expect(again).toMatchObject({ created: false, execution: { executionId: execution!.executionId } });
    const { events } = await suite.client.listHistory({ executionId: execution!.executionId });
    expect(events.map(({ event }) => event.case)).toEqual([
      "executionStarted",
      "signalReceived",
      "nodeCompleted",
      "executionCompleted",
    ]);
  });

  it("gives it to the one that runs, and starts another one only when that has ended", async () => {
    const { execution: first } = await suite.client.startExecution(START);
    const sent = await suite.client.startExecution(request);
    expect(sent).toMatchObject({
      created: false,
      execution: { executionId: first!.executionId, status: ExecutionStatus.COMPLETED },
    });
    const next = await suite.client.startExecution(request);
    expect(next.created).toBe(true);
    expect(next.execution?.executionId).not.toBe(first?.executionId);
    await expect(
      suite.client.startExecution({ ...request, whenFinished: FinishedKeyPolicy.REJECT }),
    ).rejects.toMatchObject({ reason: "WORKFLOW_KEY_USED" });
  });

  it("reaches an execution with every one of many that race", async () => {
    const starts = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        suite.client.startExecution({
          ...KEY,
          workflowId: "basket",
          requestId: `r${n}`,
          signal: { name: "other", payload: value(n) },
        }),
      ),
    );
    expect(new Set(starts.map(({ execution }) => execution?.executionId)).size).toBe(1);
    expect(starts.filter(({ created }) => created)).toHaveLength(1);
    const { output } = await suite.client.queryExecution({ ...KEY, name: "signals" });
    expect((toJson(ValueSchema, output!) as unknown[]).length).toBe(30);
  });

  it("is refused as a whole", async () => {
    await suite.client.startExecution({ ...START, workflowKey: "other" });
    const reject = { ...request, workflowKey: "other", whenRunning: RunningKeyPolicy.REJECT };
    await expect(suite.client.startExecution(reject)).rejects.toMatchObject({ reason: "WORKFLOW_KEY_RUNNING" });
    const large = { ...request, signal: { name: "go", payload: value("x".repeat(2 ** 20)) } };
    await expect(suite.client.startExecution(large)).rejects.toMatchObject({
      reason: "PAYLOAD_TOO_LARGE",
      violations: [{ field: "signal.payload" }],
    });
    await expect(suite.client.getExecution(KEY)).rejects.toMatchObject({ reason: "EXECUTION_NOT_FOUND" });
  });
});

/** Request ids of all signals that executions with the key have had. */
async function listReceived(): Promise<string[]> {
  const { executions } = await suite.client.listExecutions({ ...KEY, pageSize: 1000 });
  const histories = await Promise.all(
    executions.map(({ executionId }) => suite.client.listHistory({ executionId, pageSize: 1000 })),
  );
  return histories.flatMap(({ events }) =>
    events.flatMap(({ event }) => (event.case === "signalReceived" ? [event.value.requestId] : [])),
  );
}
