import { fromBinary, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatus, NodeStatus, OriginKind } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { completed } from "./support/scripted-scheduler.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const CHAIN = `
workflow:
  id: chain
  type: dag
  nodes:
    - { id: first, type: tool, tool: echo, inputs: { text: "\${input.text}" } }
    - { id: second, type: tool, tool: echo, inputs: { text: "\${first.output.text}!" } }
  output: { text: "\${second.output.text}" }
`;

const WAITING = `
workflow:
  id: waiting
  type: dag
  nodes:
    - { id: approval, type: action, subtype: wait, params: { signal: approved } }
    - { id: after, type: tool, tool: echo, inputs: "\${approval.output}" }
`;

const MACHINE = `
workflow:
  id: lamp
  type: state_machine
  states:
    - { name: dark, transitions: [{ event: press, target: bright }] }
    - { name: bright, transitions: [{ event: press, target: dark }] }
`;

let suite: ExecutionSuite;
beforeAll(async () => {
  suite = await startExecutionSuite();
  suite.publish(CHAIN);
  suite.publish(WAITING);
});
afterAll(() => suite.stop());
afterEach(() => {
  suite.scheduler.answer = () => undefined;
});

const echo = (_: unknown, input: unknown) => ({ output: input as never });

describe("StartExecution", () => {
  it("runs a chain to its end and answers with it when asked to wait", async () => {
    suite.scheduler.answer = echo;
    const { execution, created } = await suite.client.startExecution({
      workflowId: "chain",
      input: { text: "hi" },
      wait: { seconds: 20n },
    });
    expect(created).toBe(true);
    expect(execution?.status).toBe(ExecutionStatus.COMPLETED);
    expect(toJson(ValueSchema, execution!.output!)).toEqual({ text: "hi!" });
    expect(execution?.nodes).toEqual([]);
    const { nodes } = await get(execution!.executionId);
    expect(nodes.map((node) => [node.nodeId, node.status, node.attempt, node.worker])).toEqual([
      ["first", NodeStatus.COMPLETED, 1, "scripted"],
      ["second", NodeStatus.COMPLETED, 1, "scripted"],
    ]);
  });

  it("answers before the end when the wait is over", async () => {
    const { execution } = await suite.client.startExecution({
      workflowId: "chain",
      input: { text: "slow" },
      wait: { nanos: 1_000_000 },
    });
    expect(execution?.status).toBe(ExecutionStatus.RUNNING);
  });

  it("starts once for one request id, however many calls race", async () => {
    const request = { workflowId: "chain", input: { text: "once" }, requestId: "race" };
    const answers = await Promise.all(Array.from({ length: 20 }, () => suite.client.startExecution(request)));
    expect(new Set(answers.map((answer) => answer.execution?.executionId)).size).toBe(1);
    expect(answers.filter((answer) => answer.created)).toHaveLength(1);
    await suite.restart();
    const again = await suite.client.startExecution(request);
    expect(again.created).toBe(false);
    expect(again.execution?.executionId).toBe(answers[0]?.execution?.executionId);
  });

  it("tells whoever reads its end who has waited for it", async () => {
    suite.scheduler.answer = echo;
    const origin = { kind: OriginKind.MACHINE, id: "0190-machine", name: "ship", token: 3n };
    const { execution } = await suite.client.startExecution({
      workflowId: "chain",
      input: { text: "for a machine" },
      origin,
      wait: { seconds: 20n },
    });
    expect((await get(execution!.executionId)).origin).toMatchObject(origin);
    await expect.poll(() => endOf(execution!.executionId)?.origin).toMatchObject(origin);
  });

  it("refuses a state machine, and says how one is made", async () => {
    suite.publish(MACHINE);
    await expect(suite.client.startExecution({ workflowId: "lamp" })).rejects.toMatchObject({
      kind: "failed_precondition",
      reason: "NOT_A_DAG",
      message: expect.stringContaining("heddle machine create lamp"),
    });
  });

  it("refuses a request id that meant something else", async () => {
    await suite.client.startExecution({ workflowId: "chain", input: { text: "a" }, requestId: "reused" });
    await expect(
      suite.client.startExecution({ workflowId: "chain", input: { text: "b" }, requestId: "reused" }),
    ).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
    // The order of fields means nothing in JSON.
    const both = { workflowId: "waiting", requestId: "fields" };
    await suite.client.startExecution({ ...both, input: { x: 1, y: { a: 1, b: 2 } } });
    const same = await suite.client.startExecution({ ...both, input: { y: { b: 2, a: 1 }, x: 1 } });
    expect(same.created).toBe(false);
  });

  it("forgets a request id whose start was refused", async () => {
    const request = { workflowId: "late", requestId: "late-1" };
    await expect(suite.client.startExecution(request)).rejects.toMatchObject({ reason: "DEFINITION_NOT_FOUND" });
    suite.publish(CHAIN.replace("id: chain", "id: late"));
    expect((await suite.client.startExecution(request)).created).toBe(true);
  });

  it("refuses an input that does not fit the schema, naming each place", async () => {
    suite.publish(`
workflow:
  id: strict
  type: dag
  input:
    schema:
      type: object
      required: [name]
      properties: { name: { type: string }, age: { type: integer, minimum: 0 } }
      additionalProperties: false
  nodes:
    - { id: a, type: action, subtype: log, params: { message: "\${input.name}" } }
`);
    await expect(
      suite.client.startExecution({ workflowId: "strict", input: { age: -1, nmae: "x" } }),
    ).rejects.toMatchObject({
      reason: "INPUT_INVALID",
      violations: expect.arrayContaining([
        { field: "input.age", description: "must be >= 0" },
        { field: "input", description: "must not have the field nmae" },
      ]),
    });
    const { execution } = await suite.client.startExecution({ workflowId: "strict", input: { name: "x", age: 3 } });
    expect(execution?.status).toBe(ExecutionStatus.COMPLETED);
  });

  it("refuses a wait that no server could keep", async () => {
    const start = suite.client.startExecution({ workflowId: "chain", wait: { seconds: 601n } });
    await expect(start).rejects.toMatchObject({ reason: "REQUEST_INVALID", violations: [{ field: "wait" }] });
  });

  it("refuses an input above the cap by name and size", async () => {
    await expect(
      suite.client.startExecution({ workflowId: "chain", input: { text: "x".repeat(1024 * 1024) } }),
    ).rejects.toMatchObject({ reason: "PAYLOAD_TOO_LARGE", message: expect.stringContaining("input has 1048") });
  });

  it("runs the version that is active at that moment, and keeps running executions on theirs", async () => {
    const source = (text: string) => `
workflow:
  id: versioned
  type: dag
  nodes:
    - { id: hold, type: action, subtype: wait, params: { signal: go } }
    - { id: say, type: action, subtype: transform, params: { value: ${text} }, dependencies: [hold] }
`;
    suite.publish(source("one"));
    const first = (await suite.client.startExecution({ workflowId: "versioned" })).execution!;
    suite.publish(source("two"));
    const second = (await suite.client.startExecution({ workflowId: "versioned" })).execution!;
    expect([first.version, second.version]).toEqual([1, 2]);
    await suite.restart();
    for (const [execution, text] of [
      [first, "one"],
      [second, "two"],
    ] as const) {
      const { execution: done } = await suite.client.signalExecution({
        executionId: execution.executionId,
        name: "go",
      });
      expect(toJson(ValueSchema, done!.output!)).toEqual({ say: text });
    }
    const pinned = await suite.client.startExecution({ workflowId: "versioned", version: 1 });
    expect(pinned.execution?.version).toBe(1);
  });
});

describe("an execution under way", () => {
  it("is suspended, takes results, and goes on when resumed", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "chain", input: { text: "s" } });
    const id = execution!.executionId;
    await until(() => suite.scheduler.open.has(`${id}/first/1`));
    await suite.client.suspendExecution({ executionId: id, reason: "lunch" });
    suite.scheduler.send([completed({ taskId: `${id}/first/1` }, { output: { text: "s" } })]);
    await until(async () => (await get(id)).nodes[0]?.status === NodeStatus.COMPLETED);
    expect((await get(id)).status).toBe(ExecutionStatus.SUSPENDED);
    expect(suite.scheduler.open.has(`${id}/second/1`)).toBe(false);
    suite.scheduler.answer = echo;
    await suite.client.resumeExecution({ executionId: id });
    await until(async () => (await get(id)).status === ExecutionStatus.COMPLETED);
    await expect(suite.client.resumeExecution({ executionId: id })).rejects.toMatchObject({
      reason: "EXECUTION_FINISHED",
    });
  });

  it("is canceled with its tasks, once and for all", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "chain", input: { text: "c" } });
    const id = execution!.executionId;
    await until(() => suite.scheduler.open.has(`${id}/first/1`));
    const { execution: canceled } = await suite.client.cancelExecution({ executionId: id, reason: "enough" });
    expect(canceled?.status).toBe(ExecutionStatus.CANCELED);
    expect(canceled?.failure).toMatchObject({ type: "canceled", message: "enough" });
    await until(() => suite.scheduler.canceled.includes(`${id}/first/1`));
    await suite.client.cancelExecution({ executionId: id });
    suite.scheduler.send([completed({ taskId: `${id}/first/1` }, { output: { text: "late" } })]);
    const events = (await suite.client.listHistory({ executionId: id })).events;
    expect(events.map((event) => event.event.case)).toEqual([
      "executionStarted",
      "taskScheduled",
      "nodeCanceled",
      "executionCanceled",
    ]);
  });

  it("accepts one completion per attempt, and acknowledges every frame all the same", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "chain", input: { text: "d" } });
    const id = execution!.executionId;
    await until(() => suite.scheduler.open.has(`${id}/first/1`));
    const before = suite.scheduler.acknowledged.at(-1) ?? 0n;
    const result = completed({ taskId: `${id}/first/1` }, { output: { text: "d" } });
    suite.scheduler.send([result, result]);
    suite.scheduler.send([result]);
    suite.scheduler.send([{ taskId: "no task at all" }, { taskId: `${id}/nobody/1` }, { taskId: `${id}/first/7` }]);
    await until(() => (suite.scheduler.acknowledged.at(-1) ?? 0n) >= before + 3n);
    const { events } = await suite.client.listHistory({ executionId: id });
    expect(events.filter((event) => event.event.case === "taskCompleted")).toHaveLength(1);
  });

  it("buffers signals, takes each request id once, and refuses what is unknown", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "waiting" });
    const id = execution!.executionId;
    suite.scheduler.answer = echo;
    const payload = { kind: { case: "numberValue" as const, value: 7 } };
    await suite.client.signalExecution({ executionId: id, name: "other", requestId: "o" });
    await suite.client.signalExecution({ executionId: id, name: "other", requestId: "o" });
    await suite.client.signalExecution({ executionId: id, name: "approved", payload, requestId: "a" });
    await until(async () => (await get(id)).status === ExecutionStatus.COMPLETED);
    const { events } = await suite.client.listHistory({ executionId: id });
    expect(events.filter((event) => event.event.case === "signalReceived")).toHaveLength(2);
    await expect(
      suite.client.signalExecution({ executionId: "01900000-0000-7000-8000-000000000000", name: "x" }),
    ).rejects.toMatchObject({ reason: "EXECUTION_NOT_FOUND" });
  });

  it("is watched from any place to its end, without gaps, and through a restart", async () => {
    const { execution } = await suite.client.startExecution({ workflowId: "chain", input: { text: "w" } });
    const id = execution!.executionId;
    const seen: bigint[] = [];
    const watching = (async () => {
      for await (const { events } of suite.client.watchExecution({ executionId: id })) {
        seen.push(...events.map((event) => event.seq));
      }
    })();
    await until(() => seen.length === 2);
    suite.scheduler.answer = echo;
    suite.scheduler.send([completed({ taskId: `${id}/first/1` }, { output: { text: "w" } })]);
    await watching;
    expect(seen).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
    await suite.restart();
    const rest: bigint[] = [];
    for await (const { events } of suite.client.watchExecution({ executionId: id, afterSeq: 4n })) {
      rest.push(...events.map((event) => event.seq));
    }
    expect(rest).toEqual([5n, 6n]);
  });
});

describe("lists", () => {
  it("page through executions newest first, and filter", async () => {
    suite.scheduler.answer = echo;
    const labels = { team: "blue" };
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { execution } = await suite.client.startExecution({
        workflowId: "chain",
        input: { text: String(i) },
        labels,
        wait: { seconds: 20n },
      });
      ids.unshift(execution!.executionId);
    }
    await until(async () => (await suite.client.listExecutions({ labels })).executions.length === 5);
    const found: string[] = [];
    for (let pageToken = ""; ; ) {
      const page = await suite.client.listExecutions({
        labels,
        status: ExecutionStatus.COMPLETED,
        pageSize: 2,
        pageToken,
      });
      found.push(...page.executions.map((execution) => execution.executionId));
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
    }
    expect(found).toEqual(ids);
    const { nextPageToken } = await suite.client.listExecutions({ labels, pageSize: 2 });
    await expect(suite.client.listExecutions({ pageSize: 2, pageToken: nextPageToken })).rejects.toMatchObject({
      reason: "PAGE_TOKEN_INVALID",
    });
    expect((await suite.client.listExecutions({ labels, status: ExecutionStatus.FAILED })).executions).toEqual([]);
  });
});

async function get(id: string) {
  return (await suite.client.getExecution({ executionId: id })).execution!;
}

/** Waits until the condition holds; the test's own timeout bounds it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What the published events say about the end of an execution that completed. */
function endOf(executionId: string) {
  const events = suite.published.map(({ value }) => fromBinary(ExecutionEventSchema, value));
  const end = events.find((event) => event.executionId === executionId && event.event.case === "executionCompleted");
  return end?.event.case === "executionCompleted" ? end.event.value : undefined;
}
