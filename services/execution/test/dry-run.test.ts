import { RunReason } from "@heddle/proto/heddle/execution/v1/dry_run_pb.js";
import type { DryRun } from "@heddle/proto/heddle/execution/v1/dry_run_pb.js";
import { ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const ORDER = (price: string) => `
workflow:
  id: order
  type: dag
  nodes:
    - { id: fetch, type: tool, tool: fetch, inputs: { what: all } }
    - { id: note, type: action, subtype: set, params: { seen: "\${fetch.output.n}" } }
    - { id: book, type: tool, tool: book, dependencies: [fetch], compensate: { type: tool, tool: unbook } }
    - { id: each, type: control, subtype: map, for_each: "\${input.list}", workflow_id: one, max_concurrency: 5, tolerate: 5 }
    - { id: price, type: tool, tool: price, retry: { max_attempts: 1 }, inputs: { with: "${price}" }, dependencies: [book] }
    - { id: store, type: tool, tool: store, dependencies: [price, note, each] }
`;
const ONE = `
workflow:
  id: one
  type: dag
  nodes:
    - { id: work, type: tool, tool: work, retry: { max_attempts: 1 }, inputs: { n: "\${input.item}" } }
`;

let suite: ExecutionSuite;
/** Tools that fail. */
let broken: Set<string>;
/** Tools that are not answered. */
let held: Set<string>;
beforeEach(async () => {
  suite = await startExecutionSuite();
  for (const source of [ORDER("a"), ONE]) suite.publish(source);
  broken = new Set();
  held = new Set();
  suite.scheduler.answer = (task, input) => {
    const { n } = input as { n?: number };
    const name = task.name === "work" ? `work ${n}` : task.name;
    if (held.has(name)) return undefined;
    if (broken.has(name)) return { failure: { type: "broken", message: `${name} is broken` } };
    return { output: task.name === "fetch" ? { n: 7 } : input };
  };
});
afterEach(() => suite.stop());

describe("a dry run of RerunExecution", () => {
  it("says what runs again and why, starts nothing, and is what the rerun then does", async () => {
    broken.add("store").add("work 2");
    const executionId = await startAndEnd({ list: [1, 2, 3] });
    const { dryRun, execution, created } = await suite.client.rerunExecution({
      executionId,
      fromFailed: true,
      dryRun: true,
    });
    expect({ execution, created }).toEqual({ execution: undefined, created: false });
    expect(outline(dryRun)).toEqual([
      "fetch kept",
      "note kept",
      "book UNDONE at once",
      "each FAILED at once",
      "price AFTER book",
      "store FAILED",
    ]);
    expect(dryRun).toMatchObject({ fromNodeIds: ["book", "each", "store"], version: 1, keptVars: ["seen"] });
    expect(dryRun?.nodes[3]).toMatchObject({ status: NodeStatus.COMPLETED, items: { count: 3, kept: 2, stopped: 0 } });
    expect(await countExecutions()).toBe(1);

    const rerun = await suite.client.rerunExecution({ executionId, fromFailed: true });
    expect(rerun.execution?.rerunOf?.fromNodeIds).toEqual(dryRun?.fromNodeIds);
    const kept = rerun.execution!.nodes.filter(({ reused }) => reused).map(({ nodeId }) => nodeId);
    expect(kept).toEqual(["fetch", "note"]);
  });

  it("says what another version and another input come to", async () => {
    const executionId = await startAndEnd({ list: [1] });
    suite.publish(ORDER("b"));
    const { dryRun } = await suite.client.rerunExecution({
      executionId,
      version: 2,
      input: { list: [1, 2] },
      fromChanged: true,
      dryRun: true,
    });
    expect(outline(dryRun)).toEqual([
      "fetch kept",
      "note kept",
      "book kept",
      "each READS_CHANGED at once",
      "price REDEFINED at once",
      "store AFTER each",
    ]);
    // The effect stays with the old execution.
    expect(dryRun?.nodes[2]?.recordedCompensations).toBe(1);
    const fromStart = await suite.client.rerunExecution({ executionId, dryRun: true });
    expect(new Set(fromStart.dryRun?.nodes.map(({ reason }) => reason))).toEqual(new Set([RunReason.START]));
  });

  it("refuses what the rerun would refuse, and names the execution of a request id that was used", async () => {
    const executionId = await startAndEnd({ list: [] });
    const dryRun = true;
    await expect(suite.client.rerunExecution({ executionId, dryRun, fromNodeIds: ["nope"] })).rejects.toMatchObject({
      reason: "NODE_UNKNOWN",
    });
    await expect(suite.client.rerunExecution({ executionId, dryRun, fromFailed: true })).rejects.toMatchObject({
      reason: "NOTHING_TO_RERUN",
    });
    const { execution } = await suite.client.rerunExecution({ executionId, requestId: "r" });
    const again = await suite.client.rerunExecution({ executionId, requestId: "r", dryRun });
    expect(again).toMatchObject({ created: false, execution: { executionId: execution!.executionId } });
    expect(again.dryRun).toBeUndefined();
    await expect(
      suite.client.rerunExecution({ executionId, requestId: "r", dryRun, input: { list: [1] } }),
    ).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
  });
});

describe("a dry run of ResetExecution", () => {
  it("says what is stopped, changes nothing, and is what the reset then does", async () => {
    held.add("price").add("work 2").add("work 3");
    const { execution } = await suite.client.startExecution({ workflowId: "order", input: { list: [1, 2, 3] } });
    const executionId = execution!.executionId;
    await until(async () => (await progressOf(executionId))?.succeeded === 1);
    await until(async () => suite.scheduler.seen.includes(`${executionId}/price/1`));
    const before = (await suite.client.getExecution({ executionId })).execution!;
    const request = { executionId, fromNodeIds: ["book", "each"], requestId: "r" };
    const { dryRun, execution: now } = await suite.client.resetExecution({ ...request, dryRun: true });
    expect(now).toEqual(before);
    expect(outline(dryRun)).toEqual([
      "fetch kept",
      "note kept",
      "book NAMED at once",
      "each NAMED at once",
      "price AFTER book",
      "store AFTER each",
    ]);
    const [, , book, each, price] = dryRun!.nodes;
    expect(book).toMatchObject({ status: NodeStatus.COMPLETED, recordedCompensations: 1 });
    expect(each).toMatchObject({ items: { count: 3, kept: 0, stopped: 2 } });
    expect(each!.stoppedChildIds).toHaveLength(2);
    expect(price).toMatchObject({ status: NodeStatus.SCHEDULED, stoppedAttempt: 1 });
    expect((await suite.client.getExecution({ executionId })).execution).toEqual(before);
    expect(suite.scheduler.canceled).toEqual([]);

    await suite.client.resetExecution(request);
    for (const childId of each!.stoppedChildIds) {
      await until(async () => {
        const { execution: child } = await suite.client.getExecution({ executionId: childId });
        return child?.status === ExecutionStatus.CANCELED;
      });
    }
    // Repeated, it would change nothing.
    const repeated = await suite.client.resetExecution({ ...request, dryRun: true });
    expect(new Set(repeated.dryRun?.nodes.map(({ reason }) => reason))).toEqual(new Set([RunReason.UNSPECIFIED]));
  });

  it("refuses what the reset would refuse", async () => {
    const executionId = await startAndEnd({ list: [] });
    const request = { executionId, fromNodeIds: ["book"], dryRun: true };
    await expect(suite.client.resetExecution(request)).rejects.toMatchObject({ reason: "EXECUTION_FINISHED" });
    held.add("price");
    const { execution } = await suite.client.startExecution({ workflowId: "order", input: { list: [] } });
    await expect(
      suite.client.resetExecution({ executionId: execution!.executionId, fromNodeIds: ["no"], dryRun: true }),
    ).rejects.toMatchObject({ reason: "NODE_UNKNOWN" });
  });
});

function outline(dryRun: DryRun | undefined): string[] | undefined {
  return dryRun?.nodes.map(({ nodeId, reason, becauseOfNodeId, beginsAtOnce }) =>
    [
      nodeId,
      reason === RunReason.UNSPECIFIED ? "kept" : RunReason[reason],
      ...(becauseOfNodeId === "" ? [] : [becauseOfNodeId]),
      ...(beginsAtOnce ? ["at once"] : []),
    ].join(" "),
  );
}

async function startAndEnd(input: { list: number[] }): Promise<string> {
  const { execution } = await suite.client.startExecution({ workflowId: "order", input, wait: { seconds: 60n } });
  expect(execution?.endedAt).toBeDefined();
  return execution!.executionId;
}

async function countExecutions(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return (await suite.client.listExecutions({ workflowId: "order" })).executions.length;
}

async function progressOf(executionId: string) {
  const { execution } = await suite.client.getExecution({ executionId });
  return execution?.nodes.find(({ nodeId }) => nodeId === "each")?.mapProgress;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}
