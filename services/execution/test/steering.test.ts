import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completed } from "./support/scripted-scheduler.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const LINE = (price: string) => `
workflow:
  id: line
  type: dag
  nodes:
    - { id: fetch, type: tool, tool: fetch, inputs: { id: "\${input.id}" } }
    - { id: note, type: action, subtype: set, params: { seen: "\${fetch.output.n}" } }
    - { id: price, type: tool, tool: price, retry: { max_attempts: 1 }, inputs: { n: "\${fetch.output.n}", with: "${price}" } }
    - { id: label, type: tool, tool: label, inputs: { text: "\${input.text}" } }
    - { id: store, type: tool, tool: store, inputs: { price: "\${price.output}", label: "\${label.output}", seen: "\${vars.seen}" }, dependencies: [note] }
  output: "\${store.output}"
`;
const MAP = `
workflow:
  id: all
  type: dag
  nodes:
    - { id: each, type: control, subtype: map, for_each: "\${input.list}", workflow_id: one, max_concurrency: 5 }
  output: "\${each.output}"
`;
const ONE = `
workflow:
  id: one
  type: dag
  nodes:
    - { id: work, type: tool, tool: work, retry: { max_attempts: 1 }, inputs: { n: "\${input.item}" } }
  output: "\${work.output}"
`;

let suite: ExecutionSuite;
/** Tools that were called, in order. */
let called: string[];
let broken: Set<string>;
beforeEach(async () => {
  suite = await startExecutionSuite();
  for (const source of [LINE("a"), MAP, ONE]) suite.publish(source);
  called = [];
  broken = new Set();
  suite.scheduler.answer = (task, input) => {
    const { n } = input as { n?: number };
    const name = n === undefined || task.name !== "work" ? task.name : `work ${n}`;
    called.push(name);
    if (broken.has(name)) return { failure: { type: "broken", message: `${name} is broken` } };
    return { output: task.name === "fetch" ? { n: 7 } : input };
  };
});
afterEach(() => suite.stop());

describe("RerunExecution", () => {
  it("runs what has failed once more, keeps the rest, and is the same for the same request", async () => {
    broken.add("price");
    const old = await runToEnd("line", { id: 1, text: "t" });
    expect(old.status).toBe(ExecutionStatus.FAILED);
    broken.clear();
    called.length = 0;
    const request = { executionId: old.executionId, fromFailed: true, requestId: "again" };
    const { execution, created } = await suite.client.rerunExecution(request);
    expect(created).toBe(true);
    expect(execution?.rerunOf).toMatchObject({ executionId: old.executionId, fromNodeIds: ["price"] });
    const id = execution!.executionId;
    const ended = await endOf(id);
    expect(ended.status).toBe(ExecutionStatus.COMPLETED);
    expect(toJson(ValueSchema, ended.output!)).toEqual({ price: { n: 7, with: "a" }, label: { text: "t" }, seen: 7 });
    expect(called).toEqual(["price", "store"]);
    expect(ended.nodes.map(({ nodeId, reused }) => [nodeId, reused])).toEqual([
      ["fetch", true],
      ["note", true],
      ["price", false],
      ["label", true],
      ["store", false],
    ]);
    await suite.restart();
    const repeated = await suite.client.rerunExecution(request);
    expect(repeated).toMatchObject({ created: false, execution: { executionId: id } });
    expect(called).toEqual(["price", "store"]);
    await expect(suite.client.rerunExecution({ ...request, input: { id: 2, text: "t" } })).rejects.toThrow(/again/);
  });

  it("goes on after a crash from its own history alone", async () => {
    const old = await runToEnd("line", { id: 1, text: "t" });
    suite.scheduler.answer = () => undefined;
    const { execution } = await suite.client.rerunExecution({ executionId: old.executionId, fromNodeIds: ["price"] });
    const id = execution!.executionId;
    await until(() => [...suite.scheduler.open.values()].some(({ taskId }) => taskId === `${id}/price/1`));
    await forget(old.executionId);
    await suite.crash();
    suite.scheduler.answer = (task, input) => (task.name === "store" ? { output: input } : undefined);
    await until(() => timesSeen(`${id}/price/1`) === 2);
    suite.scheduler.send([completed({ taskId: `${id}/price/1` }, { output: 5 })]);
    const ended = await endOf(id);
    expect(toJson(ValueSchema, ended.output!)).toEqual({ price: 5, label: { text: "t" }, seen: 7 });
    const { events } = await suite.client.listHistory({ executionId: id });
    expect(events.slice(0, 5).map(({ event }) => event.case)).toEqual([
      "executionStarted",
      "nodeReused",
      "nodeReused",
      "nodeReused",
      "varsReused",
    ]);
  });

  it("runs with another input only what reads the difference", async () => {
    const old = await runToEnd("line", { id: 1, text: "t" });
    called.length = 0;
    const input = { id: 1, text: "another" };
    const { execution } = await suite.client.rerunExecution({ executionId: old.executionId, input, fromChanged: true });
    const ended = await endOf(execution!.executionId);
    expect(called).toEqual(["label", "store"]);
    expect(toJson(ValueSchema, ended.output!)).toMatchObject({ label: { text: "another" } });
  });

  it("runs with another version what is defined otherwise there", async () => {
    const old = await runToEnd("line", { id: 1, text: "t" });
    suite.publish(LINE("b"));
    called.length = 0;
    const { execution } = await suite.client.rerunExecution({
      executionId: old.executionId,
      version: 2,
      fromChanged: true,
    });
    const ended = await endOf(execution!.executionId);
    expect(ended.version).toBe(2);
    expect(called).toEqual(["price", "store"]);
  });

  it("keeps the items of a map that had succeeded", async () => {
    broken.add("work 3");
    const old = await runToEnd("all", { list: [1, 2, 3, 4] });
    expect(old.status).toBe(ExecutionStatus.FAILED);
    broken.clear();
    const before = new Set(called);
    called.length = 0;
    const { execution } = await suite.client.rerunExecution({ executionId: old.executionId, fromFailed: true });
    const ended = await endOf(execution!.executionId);
    expect(toJson(ValueSchema, ended.output!)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
    expect(called).toContain("work 3");
    expect(called.length).toBeLessThan(before.size);
  });

  it("runs an item alone", async () => {
    broken.add("work 2");
    const old = await runToEnd("all", { list: [1, 2] });
    broken.clear();
    const { executions } = await untilListed(old.executionId);
    const item = executions.find(({ status }) => status === ExecutionStatus.FAILED)!;
    const { execution } = await suite.client.rerunExecution({ executionId: item.executionId });
    expect(execution?.parent).toBeUndefined();
    expect(toJson(ValueSchema, (await endOf(execution!.executionId)).output!)).toEqual({ n: 2 });
  });

  it("refuses what it does not know", async () => {
    const old = await runToEnd("line", { id: 1, text: "t" });
    const { executionId } = old;
    await expect(suite.client.rerunExecution({ executionId, fromNodeIds: ["nope"] })).rejects.toThrow(/no node nope/);
    await expect(suite.client.rerunExecution({ executionId, fromFailed: true })).rejects.toThrow(
      /nothing in execution/,
    );
  });
});

describe("ResetExecution", () => {
  it("begins afresh what is under way, and survives a crash right after", async () => {
    suite.scheduler.answer = (task) => (task.name === "fetch" ? { output: { n: 7 } } : undefined);
    const { execution } = await suite.client.startExecution({ workflowId: "line", input: { id: 1, text: "t" } });
    const id = execution!.executionId;
    await until(() => suite.scheduler.open.size === 2);
    const request = { executionId: id, fromNodeIds: ["price"], reason: "a better prompt", requestId: "r" };
    const { execution: after } = await suite.client.resetExecution(request);
    expect(after?.nodes.find(({ nodeId }) => nodeId === "price")).toMatchObject({
      status: NodeStatus.SCHEDULED,
      attempt: 2,
    });
    await suite.crash();
    await suite.client.resetExecution(request);
    await until(() => timesSeen(`${id}/price/2`) === 2);
    suite.scheduler.answer = (task, input) => (task.name === "store" ? { output: input } : undefined);
    suite.scheduler.send([
      completed({ taskId: `${id}/price/1` }, { output: "late" }),
      completed({ taskId: `${id}/price/2` }, { output: 5 }),
      completed({ taskId: `${id}/label/1` }, { output: "l" }),
    ]);
    const ended = await endOf(id);
    expect(toJson(ValueSchema, ended.output!)).toEqual({ price: 5, label: "l", seen: 7 });
    await expect(suite.client.resetExecution({ ...request, requestId: "other" })).rejects.toThrow(/cannot reset/);
    await suite.client.resetExecution(request);
  });
});

async function runToEnd(workflowId: string, input: Record<string, never> | object) {
  const { execution } = await suite.client.startExecution({
    workflowId,
    input: input as never,
    wait: { seconds: 20n },
  });
  return await endOf(execution!.executionId);
}

async function endOf(executionId: string) {
  for (;;) {
    const { execution } = await suite.client.getExecution({ executionId });
    if (execution?.endedAt !== undefined) return execution;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** As if its time of keeping were over. */
async function forget(executionId: string): Promise<void> {
  const database = suite.testDatabase.open();
  await database.query({ text: "delete from executions where execution_id = $1", values: [executionId] });
}

async function untilListed(parentExecutionId: string) {
  for (;;) {
    const page = await suite.client.listExecutions({ parentExecutionId });
    if (page.executions.some(({ status }) => status === ExecutionStatus.FAILED)) return page;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function timesSeen(taskId: string): number {
  return suite.scheduler.seen.filter((seen) => seen === taskId).length;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
