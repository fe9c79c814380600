import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Execution } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completed } from "./support/scripted-scheduler.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const TRIP = `
workflow:
  id: trip
  type: dag
  nodes:
    - { id: flight, type: tool, tool: book, inputs: { what: flight }, compensate: { tool: undo, inputs: { id: "\${current.id}" } } }
    - { id: hotel, type: tool, tool: book, inputs: { what: hotel }, dependencies: [flight], compensate: { tool: undo } }
    - { id: stay, type: sub_workflow, workflow_id: stay, inputs: { slow: "\${input.slow ?? false}" }, dependencies: [hotel] }
    - { id: pay, type: tool, tool: pay, dependencies: [stay], retry: { max_attempts: 1 } }
  finally:
    nodes:
      - { id: report, type: tool, tool: report, inputs: { status: "\${execution.status}" } }
`;
const STAY = `
workflow:
  id: stay
  type: dag
  nodes:
    - { id: dinner, type: tool, tool: book, inputs: { what: dinner }, compensate: { tool: undo } }
    - { id: show, type: tool, tool: book, inputs: { what: show }, dependencies: [dinner], compensate: { tool: undo } }
    - { id: wait, type: action, subtype: wait, params: { signal: go }, when: "\${input.slow ?? false}", dependencies: [show] }
`;

const CAREFUL = `
workflow:
  id: careful
  type: dag
  nodes:
    - { id: pay, type: tool, tool: pay, inputs: { amount: 7 }, retry: { max_attempts: 1 }, on_error: incident }
`;

const HANDLED = `
workflow:
  id: handled
  type: dag
  on_error:
    - { type: closed, continue: { because: "\${error.message}" } }
    - { fallback: by-hand }
  nodes:
    - { id: flight, type: tool, tool: book, inputs: { what: flight }, compensate: { tool: undo } }
    - { id: stay, type: sub_workflow, workflow_id: stay, inputs: { slow: true }, dependencies: [flight] }
    - { id: pay, type: tool, tool: pay, dependencies: [flight], retry: { max_attempts: 1 } }
    - id: by-hand
      type: control
      subtype: group
      nodes:
        - { id: ask, type: tool, tool: ask, inputs: { why: "\${execution.error.message}", flight: "\${flight.output.id}" } }
        - { id: settle, type: tool, tool: pay, dependencies: [ask], retry: { max_attempts: 1 } }
      output: { settled: "\${settle.output.id}" }
  finally:
    nodes:
      - { id: report, type: tool, tool: report, inputs: { status: "\${execution.status}" } }
`;

const LAST_FIRST = ["show.compensate", "dinner.compensate", "hotel.compensate", "flight.compensate"];
const OF_PARENT = ["stay.compensate", "hotel.compensate", "flight.compensate"];

let suite: ExecutionSuite;
/** Nodes whose tasks were answered, in order. */
let given: string[];

beforeEach(async () => {
  given = [];
  suite = await startExecutionSuite();
  suite.publish(TRIP);
  suite.publish(STAY);
});
afterEach(() => suite.stop());

describe("an execution that fails", () => {
  it("undoes what has completed, in its children too, over crashes at every step", async () => {
    const id = await start();
    for (const node of ["flight", "hotel", "dinner", "show"]) await answer(node);
    await fail("pay");
    // The sub-workflow is undone by an execution of its own, the last step first.
    await answerOverCrashes([
      "show.compensate",
      "dinner.compensate",
      "hotel.compensate",
      "flight.compensate",
      "report",
    ]);
    const execution = await ended(id);
    expect(execution.status).toBe(ExecutionStatus.FAILED);
    expect(execution.failure?.message).toBe("no money");
    expect(undone()).toEqual(LAST_FIRST);
    expect(await startedCompensations(id)).toEqual(OF_PARENT);
    expect(statusesOf(execution)).toMatchObject({
      "flight.compensate": NodeStatus.COMPLETED,
      "stay.compensate": NodeStatus.COMPLETED,
      report: NodeStatus.COMPLETED,
    });
    // Lists trail behind.
    const undoing = async () => {
      const { executions } = await suite.client.listExecutions({ parentExecutionId: id });
      return executions.map(({ workflowId, status }) => [workflowId, status]);
    };
    await expect.poll(undoing, { timeout: 10_000 }).toEqual([
      ["stay", ExecutionStatus.COMPLETED],
      ["stay", ExecutionStatus.COMPLETED],
    ]);
  });

  it("shows what it is about, and can be canceled no more than it is", async () => {
    const id = await start();
    for (const node of ["flight", "hotel", "dinner", "show"]) await answer(node);
    await fail("pay");
    await taskOf("show.compensate");
    const { execution } = await suite.client.cancelExecution({ executionId: id, reason: "stop" });
    expect(execution?.status).toBe(ExecutionStatus.RUNNING);
    expect(execution?.ending).toMatchObject({ outcome: ExecutionStatus.FAILED, stepsToUndo: ["flight", "hotel"] });
    expect(execution?.nodes.map(({ nodeId }) => nodeId)).toContain("stay.compensate");
    expect(execution?.nodes.map(({ nodeId }) => nodeId)).not.toContain("hotel.compensate");
  });
});

describe("a failure that the workflow handles", () => {
  const startHandled = async (): Promise<string> => {
    suite.publish(HANDLED);
    const { execution } = await suite.client.startExecution({ workflowId: "handled", input: {} });
    await answer("flight");
    await answer("dinner");
    await answer("show");
    const id = execution!.executionId;
    await until(async () => (await waitingChild(id)) !== undefined);
    return id;
  };

  it("has a node run in the place of everything, over crashes, and undoes nothing", async () => {
    const id = await startHandled();
    const childId = (await waitingChild(id)) as string;
    await fail("pay");
    const asked = await taskOf("ask");
    expect(JSON.parse(suite.scheduler.open.get(asked)?.input?.form.value as string)).toEqual({
      why: "no money",
      flight: "flight-1",
    });
    // The child was stopped, and undoes its own steps as after every cancel; `finally` comes after its end.
    await answerOverCrashes(["show.compensate", "dinner.compensate"]);
    await answerOverCrashes(["ask", "settle", "report"]);
    const execution = await ended(id);
    expect(execution.status).toBe(ExecutionStatus.COMPLETED);
    expect(toJson(ValueSchema, execution.output!)).toEqual({ settled: "settle-1" });
    expect(execution.handledFailure).toMatchObject({ nodeId: "pay", message: "no money" });
    expect(statusesOf(execution)).toMatchObject({
      pay: NodeStatus.FAILED,
      stay: NodeStatus.CANCELED,
      "by-hand": NodeStatus.COMPLETED,
    });
    expect((await suite.client.getExecution({ executionId: childId })).execution?.status).toBe(
      ExecutionStatus.CANCELED,
    );
    expect(await startedCompensations(id)).toEqual([]);
  });

  it("undoes all that has completed when that node fails too", async () => {
    const id = await startHandled();
    await fail("pay");
    await answer("ask");
    await suite.crash();
    await fail("settle");
    await until(async () => (await suite.client.getExecution({ executionId: id })).execution?.ending !== undefined);
    await answerOverCrashes(["show.compensate", "dinner.compensate"]);
    await answer("flight.compensate");
    const execution = await ended(id);
    expect(execution.status).toBe(ExecutionStatus.FAILED);
    expect(execution.failure).toMatchObject({ nodeId: "settle", message: "no money" });
    expect(await startedCompensations(id)).toEqual(["flight.compensate"]);
  });

  it("completes with the output that the handler gives", async () => {
    const id = await startHandled();
    await fail("pay", "closed");
    await answer("show.compensate");
    await answer("dinner.compensate");
    const execution = await ended(id);
    expect(execution.status).toBe(ExecutionStatus.COMPLETED);
    expect(toJson(ValueSchema, execution.output!)).toEqual({ because: "no money" });
  });
});

describe("an incident", () => {
  it("keeps a node that has failed waiting for a person, over crashes", async () => {
    suite.publish(CAREFUL);
    const { execution } = await suite.client.startExecution({ workflowId: "careful", input: {} });
    const id = execution!.executionId;
    await fail("pay");
    await until(async () => (await incidentsOf(id)).length === 1);
    await suite.crash();
    expect(await incidentsOf(id)).toEqual(["pay: no money"]);
    const input = fromJson(ValueSchema, { amount: 5 });
    await suite.client.resolveIncident({
      executionId: id,
      nodeId: "pay",
      resolution: { case: "retry", value: { input } },
      reason: "a smaller amount",
    });
    await suite.crash();
    const taskId = await taskOf("pay");
    expect(taskId.endsWith("/pay/2")).toBe(true);
    expect(suite.scheduler.open.get(taskId)?.input?.form.value).toBe('{"amount":5}');
    await fail("pay");
    await until(async () => (await incidentsOf(id)).length === 1);
    const output = fromJson(ValueSchema, "by hand");
    const complete = { executionId: id, nodeId: "pay", resolution: { case: "complete", value: output } } as const;
    await suite.client.resolveIncident(complete);
    expect((await ended(id)).status).toBe(ExecutionStatus.COMPLETED);
    await expect(suite.client.resolveIncident(complete)).rejects.toMatchObject({ reason: "EXECUTION_FINISHED" });
  });
});

describe("a cancel", () => {
  it("lets a child undo its steps before its parent does, over crashes", async () => {
    const id = await start({ slow: true });
    for (const node of ["flight", "hotel", "dinner", "show"]) await answer(node);
    await until(async () => (await waitingChild(id)) !== undefined);
    const { execution } = await suite.client.cancelExecution({ executionId: id, reason: "stop" });
    expect(execution?.ending?.awaitedChildIds).toHaveLength(1);
    await answerOverCrashes([
      "show.compensate",
      "dinner.compensate",
      "hotel.compensate",
      "flight.compensate",
      "report",
    ]);
    const canceled = await ended(id);
    expect(canceled.status).toBe(ExecutionStatus.CANCELED);
    expect(undone()).toEqual(LAST_FIRST);
    expect(await startedCompensations(id)).toEqual(["hotel.compensate", "flight.compensate"]);
  });

  it("at once undoes nothing, in children neither", async () => {
    const id = await start({ slow: true });
    for (const node of ["flight", "hotel", "dinner", "show"]) await answer(node);
    await until(async () => (await waitingChild(id)) !== undefined);
    const child = (await waitingChild(id)) as string;
    const { execution } = await suite.client.terminateExecution({ executionId: id, reason: "now" });
    expect(execution?.status).toBe(ExecutionStatus.CANCELED);
    await suite.crash();
    expect((await ended(child)).status).toBe(ExecutionStatus.CANCELED);
    expect(undone()).toEqual([]);
    expect((await suite.client.terminateExecution({ executionId: id })).execution?.status).toBe(
      ExecutionStatus.CANCELED,
    );
  });
});

async function start(input: { slow?: boolean } = {}): Promise<string> {
  const { execution } = await suite.client.startExecution({ workflowId: "trip", input });
  return execution!.executionId;
}

/** As the history tells them: each once. */
async function startedCompensations(id: string): Promise<string[]> {
  const { events } = await suite.client.listHistory({ executionId: id, pageSize: 500 });
  return events.flatMap(({ event }) => (event.case === "compensationStarted" ? [event.value.nodeId] : []));
}

async function incidentsOf(id: string): Promise<string[]> {
  const { execution } = await suite.client.getExecution({ executionId: id });
  return (execution?.nodes ?? []).flatMap(({ nodeId, incident, failure }) =>
    incident ? [`${nodeId}: ${failure?.message}`] : [],
  );
}

function undone(): string[] {
  return given.filter((node) => node.endsWith(".compensate"));
}

function statusesOf({ nodes }: Execution): Record<string, NodeStatus> {
  return Object.fromEntries(nodes.map(({ nodeId, status }) => [nodeId, status]));
}

async function waitingChild(id: string): Promise<string | undefined> {
  const { execution } = await suite.client.getExecution({ executionId: id });
  const childId = execution?.nodes.find(({ nodeId }) => nodeId === "stay")?.childId;
  if (!childId) return undefined;
  const child = await suite.client.getExecution({ executionId: childId });
  return child.execution?.nodes.some(({ nodeId, status }) => nodeId === "wait" && status === NodeStatus.WAITING)
    ? childId
    : undefined;
}

/** The id of the open task of a node, in whichever execution. */
async function taskOf(node: string): Promise<string> {
  await until(() => findTask(node) !== undefined);
  return findTask(node) as string;
}

function findTask(node: string): string | undefined {
  return [...suite.scheduler.open.keys()].find((taskId) => taskId.split("/")[1] === node);
}

async function answer(node: string): Promise<void> {
  const taskId = await taskOf(node);
  if (!given.includes(node)) given.push(node);
  close(taskId);
  suite.scheduler.send([completed({ taskId }, { output: { id: `${node}-1` } })]);
}

/** With a crash before and after each answer. What was not committed is asked for again. */
async function answerOverCrashes(nodes: readonly string[]): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    await taskOf(node);
    await suite.crash();
    await answer(node);
    await suite.crash();
    const next = nodes[index + 1];
    await until(async () => {
      if (findTask(node) !== undefined) await answer(node);
      return next === undefined || findTask(next) !== undefined;
    });
  }
}

function close(taskId: string): void {
  (suite.scheduler.open as Map<string, unknown>).delete(taskId);
}

async function fail(node: string, type = "refused"): Promise<void> {
  const taskId = await taskOf(node);
  close(taskId);
  suite.scheduler.send([completed({ taskId }, { failure: { type, message: "no money" } })]);
}

async function ended(id: string): Promise<Execution> {
  let execution: Execution | undefined;
  await until(async () => {
    // What was answered before a crash and not committed is asked for again.
    if (findTask("report") !== undefined) await answer("report");
    execution = (await suite.client.getExecution({ executionId: id })).execution;
    return execution?.endedAt !== undefined;
  });
  return execution as Execution;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 15_000, interval: 10 }).toBe(true);
}
