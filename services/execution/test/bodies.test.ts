import { toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "@heddle/engine";
import { type Execution, ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "./support/scripted-scheduler.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

// Groups, loops, maps, error handlers and conditions over outcomes, through the whole service.

/** `double` doubles, `echo` gives its input, `fail` fails as it is told to, `hold` stays open. */
const answer: Answer = ({ name }, input) => {
  const fields = input as JsonObject;
  switch (name) {
    case "double":
      return { output: (fields["n"] as number) * 2 };
    case "fail":
      return {
        failure: {
          type: typeof fields["type"] === "string" ? fields["type"] : "http_error",
          message: "as it was told",
          nonRetryable: true,
          details: { form: { case: "json", value: JSON.stringify({ status: fields["status"] ?? 500 }) } },
        },
      };
    case "maybe":
      return fields["fails"] === true
        ? { failure: { type: "odd", message: "no", nonRetryable: true } }
        : { output: input };
    case "hold":
      return undefined;
    default:
      return { output: input };
  }
};

let suite: ExecutionSuite;
beforeAll(async () => {
  suite = await startExecutionSuite(answer);
  suite.publish(`
workflow:
  id: item
  type: dag
  nodes:
    - { id: work, type: tool, tool: maybe, inputs: { n: "\${input.n}", fails: "\${input.fails ?? false}" } }
  output: "\${work.output.n * 10}"
`);
  suite.publish(`
workflow:
  id: race
  type: dag
  nodes:
    - { id: slow, type: tool, tool: hold, when: "\${input.holds}" }
    - { id: fast, type: tool, tool: echo, inputs: { n: "\${input.n}" } }
  output: "\${fast.output.n}"
`);
  suite.publish(`
workflow:
  id: long-item
  type: dag
  nodes: [{ id: work, type: tool, tool: hold, inputs: { n: "\${input.n}" } }]
`);
});
afterAll(() => suite.stop());

describe("a group", () => {
  it("gives what its nodes gave, and its own nodes see what is before it", async () => {
    const { output, events } = await run(`
    - { id: before, type: tool, tool: double, inputs: { n: "\${input.n}" } }
    - id: pay
      type: control
      subtype: group
      dependencies: [before]
      output: { sum: "\${b.output + before.output}" }
      nodes:
        - { id: a, type: tool, tool: double, inputs: { n: "\${before.output}" } }
        - { id: b, type: tool, tool: double, inputs: { n: "\${a.output}" } }
    - { id: after, type: tool, tool: echo, inputs: { got: "\${pay.output.sum}" } }
`);
    expect(output).toEqual({ after: { got: 30 } });
    expect(events.filter((event) => event.endsWith(" pay"))).toEqual(["turnStarted pay", "nodeCompleted pay"]);
  });

  it("with an error handler is a try, and stops what goes on inside", async () => {
    const { output, execution } = await run(`
    - id: attempt
      type: control
      subtype: group
      on_error: { continue: { paid: false, why: "\${error.type}", at: "\${error.node}" } }
      nodes:
        - { id: slow, type: tool, tool: hold }
        - { id: bad, type: tool, tool: fail, inputs: { type: broke } }
`);
    expect(output).toEqual({ attempt: { paid: false, why: "broke", at: "bad" } });
    expect(statusOf(execution, "slow")).toBe(NodeStatus.CANCELED);
    await until(() => suite.scheduler.canceled.includes(`${execution.executionId}/slow/1`));
  });

  it("fails when its time is over", async () => {
    const { execution } = await run(`
    - { id: brief, type: control, subtype: group, timeout: 50ms, nodes: [{ id: slow, type: tool, tool: hold }] }
`);
    expect(execution.failure).toMatchObject({ type: "timeout", nodeId: "brief" });
  });
});

describe("a loop", () => {
  it("for_each takes a turn for each item", async () => {
    const { output, events } = await run(`
    - id: each
      type: control
      subtype: loop
      for_each: "\${[5, 6, 7]}"
      as: number
      result: "\${work.output + loop.index}"
      nodes: [{ id: work, type: tool, tool: double, inputs: { n: "\${number}" } }]
`);
    expect(output).toEqual({ each: [10, 13, 16] });
    expect(events.filter((event) => event === "turnStarted each")).toHaveLength(3);
    expect(events.filter((event) => event === "taskCompleted work")).toHaveLength(3);
  });

  it("while carries a value", async () => {
    const { output } = await run(`
    - id: pages
      type: control
      subtype: loop
      while: "\${loop.carry < 20}"
      carry: 1
      next: "\${work.output}"
      collect: true
      result: "\${loop.carry}"
      nodes: [{ id: work, type: tool, tool: double, inputs: { n: "\${loop.carry}" } }]
`);
    expect(output).toEqual({ pages: [1, 2, 4, 8, 16] });
  });

  it("until looks after each turn, and a break ends it", async () => {
    const source = (last: number) => `
    - id: poll
      type: control
      subtype: loop
      until: "\${work.output.n >= ${last}}"
      nodes:
        - { id: work, type: tool, tool: echo, inputs: { n: "\${loop.index}" } }
        - { id: give-up, type: action, subtype: break, params: { value: gave up }, when: "\${work.output.n == 3}" }
`;
    // Its only leaf was skipped in the last turn.
    expect((await run(source(2))).output).toEqual({ poll: {} });
    expect((await run(source(9))).output).toEqual({ poll: "gave up" });
  });

  it("fails when it would go on too long", async () => {
    const { execution } = await run(`
    - id: endless
      type: control
      subtype: loop
      while: "\${true}"
      max_iterations: 5
      nodes: [{ id: work, type: tool, tool: double, inputs: { n: 1 } }]
`);
    expect(execution.failure).toMatchObject({ type: "too_many_turns", nodeId: "endless" });
  });

  it("runs sub-workflows in its turns, each as an execution of its own", async () => {
    const { output, execution } = await run(`
    - id: each
      type: control
      subtype: loop
      for_each: "\${[1, 2, 3]}"
      result: "\${child.output}"
      nodes: [{ id: child, type: sub_workflow, workflow_id: item, inputs: { n: "\${item}" } }]
`);
    expect(output).toEqual({ each: [10, 20, 30] });
    await until(async () => (await childrenOf(execution)).length === 3);
  });
});

describe("a map", () => {
  it("runs a workflow for each item and gives their outputs in order", async () => {
    const { output, execution, events } = await run(`
    - id: all
      type: control
      subtype: map
      for_each: "\${[3, 1, 2]}"
      as: number
      workflow_id: item
      inputs: { n: "\${number + index}" }
      max_concurrency: 2
`);
    expect(output).toEqual({ all: [30, 20, 40] });
    expect(events.filter((event) => event === "itemEnded all")).toHaveLength(3);
    await until(async () => (await childrenOf(execution)).length === 3);
    const children = await childrenOf(execution);
    expect(nodeIdsOf(children)).toEqual(["all[0]", "all[1]", "all[2]"]);
  });

  it("counts over a range", async () => {
    const { output } = await run(`
    - { id: all, type: control, subtype: map, range: { from: 1, to: "\${input.n}" }, workflow_id: item, inputs: { n: "\${item}" } }
`);
    expect(output).toEqual({ all: [10, 20, 30] });
  });

  it("tolerates failures, and fails beyond", async () => {
    const source = (tolerate: string) => `
    - id: all
      type: control
      subtype: map
      range: { from: 0, to: 9 }
      workflow_id: item
      inputs: { n: "\${item}", fails: "\${item % 3 == 0}" }
      tolerate: ${tolerate}
      max_concurrency: 1
    - { id: any, type: tool, tool: echo, depends: all.any_succeeded }
    - { id: none, type: tool, tool: echo, depends: all.all_failed }
`;
    const { execution } = await run(source('"40%"'));
    expect(execution.status).toBe(ExecutionStatus.COMPLETED);
    const outputs = [null, 10, 20, null, 40, 50, null, 70, 80, null];
    expect(json(node(execution, "all")?.output)).toEqual(outputs);
    expect([statusOf(execution, "any"), statusOf(execution, "none")]).toEqual([
      NodeStatus.COMPLETED,
      NodeStatus.SKIPPED,
    ]);
    const { execution: failed } = await run(source("1").split("\n").slice(0, -3).join("\n"));
    expect(failed.failure).toMatchObject({ type: "too_many_failures", nodeId: "all" });
  });

  it("stops early, and cancels what still runs", async () => {
    const { execution, output } = await run(`
    - id: some
      type: control
      subtype: map
      for_each: "\${[0, 1, 2, 3]}"
      workflow_id: race
      inputs: { n: "\${item}", holds: "\${item > 1}" }
      until: "\${items.succeeded >= 2}"
`);
    expect(output).toEqual({ some: [0, 1, null, null] });
    await until(async () => {
      const children = await childrenOf(execution);
      return children.length === 4 && children.every(({ status }) => status !== ExecutionStatus.RUNNING);
    });
    const canceled = (await childrenOf(execution)).filter(({ status }) => status === ExecutionStatus.CANCELED);
    expect(nodeIdsOf(canceled)).toEqual(["some[2]", "some[3]"]);
  });

  it("cancels its items with its execution, and lets one be canceled alone", async () => {
    const id = await begin(`
    - { id: all, type: control, subtype: map, range: { from: 0, to: 3 }, workflow_id: long-item, inputs: { n: "\${item}" }, tolerate: 1 }
`);
    await until(async () => (await childrenOf({ executionId: id })).length === 4);
    const [first] = (await childrenOf({ executionId: id })).toSorted((a, b) =>
      (a.parent?.nodeId ?? "").localeCompare(b.parent?.nodeId ?? ""),
    );
    await suite.client.cancelExecution({ executionId: first?.executionId ?? "", reason: "not this one" });
    await until(async () => (await historyOf(id)).includes("itemEnded all"));
    await suite.client.cancelExecution({ executionId: id, reason: "enough" });
    await until(async () =>
      (await childrenOf({ executionId: id })).every(({ status }) => status === ExecutionStatus.CANCELED),
    );
  });

  it("that cannot start an item fails with the reason", async () => {
    const { execution } = await run(`
    - { id: all, type: control, subtype: map, range: { from: 0, to: 3 }, workflow_id: nowhere }
`);
    expect(execution.failure).toMatchObject({
      type: "too_many_failures",
      message: "1 of 4 items have failed, the last one, item 0, with: no such definition",
    });
  });
});

describe("on_error", () => {
  it("skips, continues, and goes on with a fallback by type and condition", async () => {
    const { execution } = await run(`
    - { id: skipped, type: tool, tool: fail, on_error: skip }
    - { id: continued, type: tool, tool: fail, on_error: { continue: { eur: 1.08 } } }
    - id: draft
      type: tool
      tool: fail
      inputs: { type: timeout, status: 503 }
      on_error:
        - { type: not_found, continue: null }
        - { type: [timeout], when: "\${error.details.status != 400}", fallback: cheap }
    - { id: cheap, type: tool, tool: echo, inputs: { because: "\${draft.error.type}" } }
    - { id: publish, type: tool, tool: echo, inputs: { text: "\${draft.output.because}", rate: "\${continued.output.eur}" }, join: any }
`);
    expect(execution.status).toBe(ExecutionStatus.COMPLETED);
    expect(node(execution, "skipped")).toMatchObject({ status: NodeStatus.SKIPPED, skipReason: "error" });
    expect(json(node(execution, "publish")?.output)).toEqual({ text: "timeout", rate: 1.08 });
    expect(json(node(execution, "draft")?.output)).toEqual({ because: "timeout" });
  });

  it("fails where it says so, and where nothing matches", async () => {
    for (const handler of ["[{ action: fail }]", "[{ type: other, action: skip }]"]) {
      const { execution } = await run(`
    - { id: bad, type: tool, tool: fail, on_error: ${handler} }
`);
      expect(execution.failure).toMatchObject({ type: "http_error", nodeId: "bad" });
    }
  });

  it("runs a chain of fallbacks", async () => {
    const { output } = await run(`
    - { id: first, type: tool, tool: fail, on_error: [{ fallback: second }] }
    - { id: second, type: tool, tool: fail, on_error: [{ fallback: third }] }
    - { id: third, type: tool, tool: double, inputs: { n: 4 } }
  output: "\${first.output}"
`);
    expect(output).toBe(8);
  });
});

describe("depends", () => {
  it("begins as soon as it holds, and lets failures be somebody's business", async () => {
    const { execution } = await run(`
    - { id: card, type: tool, tool: fail }
    - { id: invoice, type: tool, tool: double, inputs: { n: 1 } }
    - { id: ship, type: tool, tool: echo, depends: "card.succeeded || invoice.succeeded" }
    - { id: apologize, type: tool, tool: echo, depends: "card.failed && !invoice.succeeded" }
    - { id: book, type: tool, tool: echo, depends: "ship.settled && apologize.settled" }
`);
    expect(execution.status).toBe(ExecutionStatus.COMPLETED);
    expect(statusesOf(execution)).toEqual({
      card: NodeStatus.FAILED,
      invoice: NodeStatus.COMPLETED,
      ship: NodeStatus.COMPLETED,
      apologize: NodeStatus.SKIPPED,
      book: NodeStatus.COMPLETED,
    });
  });
});

describe("parallel", () => {
  it("needs some of its branches and stops the rest", async () => {
    const { execution, output } = await run(`
    - { id: quotes, type: control, subtype: parallel, branches: [a, b, c], need: 2, cancel_rest: true }
    - { id: a, type: tool, tool: double, inputs: { n: 1 } }
    - { id: b, type: tool, tool: double, inputs: { n: 2 } }
    - { id: c, type: tool, tool: hold }
`);
    expect(output).toEqual({ quotes: { a: 2, b: 4 } });
    expect(statusOf(execution, "c")).toBe(NodeStatus.CANCELED);
    await until(() => suite.scheduler.canceled.includes(`${execution.executionId}/c/1`));
  });
});

interface Ran {
  execution: Execution;
  output: unknown;
  /** Each as `<case> <node>`. */
  events: string[];
}

/** Runs a workflow of these nodes to its end with the input `{ n: 3 }`. */
async function run(nodes: string): Promise<Ran> {
  const id = await begin(nodes);
  for await (const _ of suite.client.watchExecution({ executionId: id }));
  const { execution } = await suite.client.getExecution({ executionId: id });
  return { execution: execution!, output: json(execution!.output), events: await historyOf(id) };
}

let workflows = 0;
async function begin(nodes: string): Promise<string> {
  const workflowId = `bodies-${workflows++}`;
  suite.publish(`
workflow:
  id: ${workflowId}
  type: dag
  nodes:${nodes}`);
  const { execution } = await suite.client.startExecution({ workflowId, input: { n: 3 } });
  return execution!.executionId;
}

async function historyOf(executionId: string): Promise<string[]> {
  const { events } = await suite.client.listHistory({ executionId, pageSize: 500 });
  return events.map(({ event }) => {
    const { nodeId = "" } = (event.value ?? {}) as { nodeId?: string };
    return `${event.case} ${nodeId}`.trimEnd();
  });
}

async function childrenOf({ executionId }: Pick<Execution, "executionId">): Promise<Execution[]> {
  return (await suite.client.listExecutions({ parentExecutionId: executionId, pageSize: 100 })).executions;
}

/** As what their parent knows them. */
function nodeIdsOf(children: readonly Execution[]): string[] {
  return children.map(({ parent }) => parent?.nodeId ?? "").toSorted((a, b) => a.localeCompare(b));
}

function node(execution: Execution, id: string) {
  return execution.nodes.find(({ nodeId }) => nodeId === id);
}

function statusOf(execution: Execution, id: string): NodeStatus | undefined {
  return node(execution, id)?.status;
}

function statusesOf({ nodes }: Execution): Record<string, NodeStatus> {
  return Object.fromEntries(nodes.map(({ nodeId, status }) => [nodeId, status]));
}

function json(value: Value | undefined): unknown {
  return value === undefined ? undefined : toJson(ValueSchema, value);
}

/** Waits until the condition holds; the test's own timeout bounds it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
