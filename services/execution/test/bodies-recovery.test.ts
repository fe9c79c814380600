import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "@heddle/engine";
import type { Task } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { type Execution, ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completed } from "./support/scripted-scheduler.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const ITEM = `
workflow:
  id: item
  type: dag
  nodes: [{ id: work, type: tool, tool: work, inputs: { n: "\${input.n}" } }]
  output: "\${work.output}"
`;

const MAP = `
workflow:
  id: mapped
  type: dag
  nodes:
    - id: all
      type: control
      subtype: map
      range: { from: 0, to: 19 }
      workflow_id: item
      inputs: { n: "\${item}" }
      max_concurrency: 6
      tolerate: 3
`;

const RACE = `
workflow:
  id: race
  type: dag
  nodes:
    - id: some
      type: control
      subtype: map
      range: { from: 0, to: 4 }
      workflow_id: item
      inputs: { n: "\${item}" }
      until: "\${items.succeeded >= 1}"
    - { id: after, type: action, subtype: wait, params: { signal: go }, dependencies: [some] }
`;

const LOOP = `
workflow:
  id: looped
  type: dag
  nodes:
    - id: turns
      type: control
      subtype: loop
      for_each: "\${[0, 1, 2, 3, 4, 5]}"
      result: "\${work.output}"
      nodes:
        - { id: work, type: tool, tool: work, inputs: { n: "\${item}" } }
        - { id: child, type: sub_workflow, workflow_id: item, inputs: { n: "\${item}" } }
`;

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite();
  for (const source of [ITEM, MAP, RACE, LOOP]) suite.publish(source);
});
afterEach(() => suite.stop());

/** Answers what is open with the double of its input, `count` tasks at most. */
function answerSome(count: number): void {
  const tasks = [...suite.scheduler.open.values()].slice(0, count);
  for (const { taskId } of tasks) (suite.scheduler.open as Map<string, Task>).delete(taskId);
  suite.scheduler.send(tasks.map((task) => completed(task, { output: inputOf(task).n * 2 })));
}

function inputOf({ input }: Task): { n: number } {
  return JSON.parse(input?.form.case === "json" ? input.form.value : "") as { n: number };
}

describe("a crash", () => {
  it("in the middle of a map loses no item and runs none twice", async () => {
    const id = await start("mapped");
    for (let crashes = 0; crashes < 4; crashes++) {
      await until(() => suite.scheduler.open.size === 6);
      answerSome(3);
      // Sometimes the answers are committed by then, sometimes their items have ended and the map does not know.
      if (crashes % 2 === 1) await until(() => suite.scheduler.open.size > 3);
      await suite.crash();
    }
    await until(async () => {
      answerSome(6);
      return (await get(id)).status !== ExecutionStatus.RUNNING;
    });
    const { output, status } = await get(id);
    expect(status).toBe(ExecutionStatus.COMPLETED);
    expect(toJson(ValueSchema, output!)).toEqual({ all: Array.from({ length: 20 }, (_, n) => n * 2) });
    await until(async () => (await childrenOf(id)).length === 20);
    const { events } = await suite.client.listHistory({ executionId: id, pageSize: 500 });
    const ended = events.flatMap(({ event }) => (event.case === "itemEnded" ? [event.value.index] : []));
    expect(ended.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it("before the items of a map that has stopped early were told ends them all the same", async () => {
    const id = await start("race");
    await until(() => suite.scheduler.open.size === 5);
    answerSome(1);
    await suite.crash();
    await until(
      async () => (await childrenOf(id)).filter(({ status }) => status === ExecutionStatus.CANCELED).length === 4,
    );
    await suite.client.signalExecution({ executionId: id, name: "go" });
    await until(async () => (await get(id)).status === ExecutionStatus.COMPLETED);
  });

  it("in the middle of a loop goes on with the turn that it was in", async () => {
    const id = await start("looped");
    for (let crashes = 0; crashes < 5; crashes++) {
      // Answers that were not committed are asked for again: a crash may cost a turn, and none may come twice.
      await until(() => suite.scheduler.open.size > 0);
      answerSome(2);
      if (crashes % 2 === 1) await until(() => suite.scheduler.open.size > 0);
      await suite.crash();
    }
    await until(async () => {
      answerSome(2);
      return (await get(id)).status !== ExecutionStatus.RUNNING;
    });
    const { output, status } = await get(id);
    expect(status).toBe(ExecutionStatus.COMPLETED);
    expect(toJson(ValueSchema, output!)).toEqual({ turns: [0, 2, 4, 6, 8, 10] });
    const { events } = await suite.client.listHistory({ executionId: id, pageSize: 500 });
    const turns = events.flatMap(({ event }) => (event.case === "turnStarted" ? [event.value.turn] : []));
    expect(turns).toEqual([0, 1, 2, 3, 4, 5]);
    await until(async () => (await childrenOf(id)).length === 6);
  });
});

async function start(workflowId: string): Promise<string> {
  const { execution } = await suite.client.startExecution({ workflowId, input: {} satisfies JsonObject });
  return execution!.executionId;
}

async function get(id: string): Promise<Execution> {
  return (await suite.client.getExecution({ executionId: id })).execution!;
}

async function childrenOf(id: string): Promise<Execution[]> {
  return (await suite.client.listExecutions({ parentExecutionId: id, pageSize: 100 })).executions;
}

/** Waits until the condition holds; the test's own timeout bounds it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
