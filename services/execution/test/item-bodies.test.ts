import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Json, JsonObject } from "@heddle/engine";
import { type Execution, ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Task } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { completed, type Answer } from "./support/scripted-scheduler.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

// Maps whose nodes stand in them: each item is an execution of a plan that is a part of its map's.

const answer: Answer = ({ name }, input) => {
  if (name === "hold") return undefined;
  if (name === "fail") return { failure: { type: "odd", message: "no", nonRetryable: true } };
  return { output: input };
};

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite(answer);
});
afterEach(() => suite.stop());

const NESTED = `
    - { id: get-rates, type: tool, tool: echo, inputs: { eur: 2 } }
    - { id: shop, type: action, subtype: set, params: { shop: "\${input.shop}" } }
    - id: days
      type: control
      subtype: loop
      for_each: "\${input.days}"
      as: day
      dependencies: [shop]
      nodes:
        - id: each
          type: control
          subtype: map
          for_each: "\${day.orders}"
          as: order
          nodes:
            - { id: price, type: tool, tool: echo, inputs: { sum: "\${order.sum * get-rates.output.eur}" } }
            - id: parcels
              type: control
              subtype: map
              for_each: "\${order.parcels}"
              nodes:
                - { id: send, type: tool, tool: echo, inputs: ["\${item}", "\${index}", "\${order.id}", "\${day.name}", "\${vars.shop}", "\${price.output.sum}"] }
              output: "\${send.output}"
          output: "\${parcels.output}"
`;

it("runs nodes that see what is around their maps, in maps in loops", async () => {
  publish("nested", NESTED);
  const order = (id: string, sum: number, parcels: string[]) => ({ id, sum, parcels });
  const execution = await run("nested", {
    shop: "s",
    days: [
      { name: "mon", orders: [order("a", 1, ["p", "q"]), order("b", 2, [])] },
      { name: "tue", orders: [order("c", 3, ["r"])] },
    ],
  });
  expect(outputOf(execution)).toEqual({
    days: [
      {
        each: [
          [
            ["p", 0, "a", "mon", "s", 2],
            ["q", 1, "a", "mon", "s", 2],
          ],
          [],
        ],
      },
      { each: [[["r", 0, "c", "tue", "s", 6]]] },
    ],
  });
  await until(async () => (await childrenOf(execution)).length === 3);
  const children = await childrenOf(execution);
  expect(new Set(children.map(({ workflowId }) => workflowId))).toEqual(new Set(["nested.each"]));
  const inner = (await Promise.all(children.map(childrenOf))).flat();
  expect(inner.map(({ workflowId }) => workflowId)).toEqual(Array.from({ length: 3 }, () => "nested.each.parcels"));
});

it("runs items of the version of their map's execution, whatever is published meanwhile", async () => {
  const source = (text: string) => `
    - id: each
      type: control
      subtype: map
      for_each: [1, 2]
      max_concurrency: 1
      nodes: [{ id: work, type: tool, tool: hold, inputs: ["\${item}"] }]
      output: ["\${work.output}", "${text}", "\${execution.version}", "\${execution.workflow_id}"]
`;
  publish("pinned", source("old"));
  const first = await start("pinned", {});
  await until(() => held().length === 1);
  publish("pinned", source("new"));
  finish(1);
  await until(() => held().length === 2);
  finish(2);
  expect(outputOf(await ended(first))).toEqual({
    each: [
      [1, "old", 1, "pinned.each"],
      [2, "old", 1, "pinned.each"],
    ],
  });
  const next = await start("pinned", {});
  await until(() => held().length === 3);
  finish(1);
  await until(() => held().length === 4);
  finish(2);
  expect(outputOf(await ended(next))).toEqual({
    each: [
      [1, "new", 2, "pinned.each"],
      [2, "new", 2, "pinned.each"],
    ],
  });
});

it("goes on after a crash, with what the items had captured", async () => {
  publish(
    "crashes",
    `
    - { id: before, type: tool, tool: echo, inputs: { a: 1 } }
    - id: each
      type: control
      subtype: map
      range: { from: 1, to: 3 }
      nodes:
        - { id: work, type: tool, tool: hold }
        - { id: after, type: tool, tool: echo, inputs: ["\${item}", "\${before.output.a}", "\${input.b}"], dependencies: [work] }
      output: "\${after.output}"
`,
  );
  const id = await start("crashes", { b: 2 });
  await until(() => held().length === 3);
  const seen = suite.scheduler.seen.length;
  await suite.crash();
  await until(() => suite.scheduler.seen.length === seen + 3);
  suite.scheduler.send(held().map((task) => completed(task, { output: null })));
  expect(outputOf(await ended(id))).toEqual({
    each: [
      [1, 1, 2],
      [2, 1, 2],
      [3, 1, 2],
    ],
  });
});

it("fails with its items, and handles their errors", async () => {
  publish(
    "fails",
    `
    - id: each
      type: control
      subtype: map
      for_each: [1]
      nodes: [{ id: work, type: tool, tool: fail }]
      on_error: { type: too_many_failures, continue: "\${error.message}" }
`,
  );
  expect(outputOf(await run("fails", {}))).toEqual({
    each: "1 of 1 items have failed, the last one, item 0, with: no",
  });
});

it("undoes what its items did, when its execution fails", async () => {
  publish(
    "undone",
    `
    - { id: before, type: tool, tool: echo, inputs: { by: me } }
    - id: each
      type: control
      subtype: map
      for_each: [a, b]
      as: letter
      nodes:
        - { id: work, type: tool, tool: echo, inputs: "\${letter}", compensate: { tool: undo, inputs: ["\${letter}", "\${before.output.by}"] } }
    - { id: after, type: tool, tool: fail, dependencies: [each] }
`,
  );
  const execution = await ended(await start("undone", {}), ExecutionStatus.FAILED);
  expect(execution.failure?.type).toBe("odd");
  const undone = [...suite.scheduler.open.values()].filter(({ name }) => name === "undo");
  expect(new Set(undone.map(({ input }) => input?.form.value))).toEqual(new Set(['["a","me"]', '["b","me"]']));
});

function publish(id: string, nodes: string): void {
  suite.publish(`workflow:\n  id: ${id}\n  type: dag\n  nodes:${nodes}`);
}

async function start(workflowId: string, input: JsonObject): Promise<string> {
  const { execution } = await suite.client.startExecution({ workflowId, input });
  return execution!.executionId;
}

async function run(workflowId: string, input: JsonObject): Promise<Execution> {
  return ended(await start(workflowId, input));
}

async function ended(executionId: string, status = ExecutionStatus.COMPLETED): Promise<Execution> {
  for await (const _ of suite.client.watchExecution({ executionId }));
  const { execution } = await suite.client.getExecution({ executionId });
  expect(execution?.status).toBe(status);
  return execution!;
}

async function childrenOf({ executionId }: Pick<Execution, "executionId">): Promise<Execution[]> {
  return (await suite.client.listExecutions({ parentExecutionId: executionId, pageSize: 100 })).executions;
}

/** Tasks of `hold`, in the order in which they first came. */
function held(): Task[] {
  return [...suite.scheduler.open.values()].filter(({ name }) => name === "hold");
}

function finish(output: Json): void {
  suite.scheduler.send([completed(held().at(-1)!, { output })]);
}

function outputOf({ output }: Execution): unknown {
  return output && toJson(ValueSchema, output);
}

/** Waits until the condition holds; the test's own timeout bounds it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

it("is run by items alone: a start of the body says what to start", async () => {
  publish(
    "whole",
    `
    - { id: each, type: control, subtype: map, for_each: [1], nodes: [{ id: work, type: tool, tool: echo }] }
`,
  );
  await expect(start("whole.each", { item: 1, index: 0 })).rejects.toThrow(
    "workflow_id whole.each is the body of a map, which only its items run; start whole, or rerun one of the items",
  );
});
