import { DomainError } from "@heddle/errors";
import { expect, test } from "vitest";
import { parsePlan } from "../test/support/plan-text.ts";
import { EXECUTION_ID, copyState, createRunner, startCommand } from "../test/support/runner.ts";
import {
  type Command,
  type ExecutionState,
  type PlanDocument,
  decide,
  decodeState,
  linkPlan,
  obligations,
} from "./index.ts";

import { createTurn, emit } from "./turn.ts";

const PLAN = linkPlan(parsePlan(["a task tool=fetch inputs={}", "w wait signal=go", "c child workflow=other"]));

test("a refusal has changed nothing", () => {
  const runner = createRunner(PLAN);
  runner.send(startCommand({}), 1);
  const before = copyState(runner.state as ExecutionState);
  const refused: Command[] = [
    startCommand({}),
    { type: "complete_task", nodeId: "a", attempt: 2, output: 1, startedAt: 0, worker: "w" },
    { type: "fail_task", nodeId: "w", attempt: 1, failure: { type: "x", message: "m" } },
    { type: "complete_child", nodeId: "c", childId: "x", output: 1 },
    { type: "fail_child", nodeId: "a", childId: "x", failure: { type: "x", message: "m" } },
    { type: "resume", reason: "" },
    { type: "signal", name: "go", payload: "x".repeat(2_000_000), requestId: "r" },
  ];
  for (const command of refused) {
    expect(() => runner.send(command, 5)).toThrow(DomainError);
    expect(runner.state).toEqual(before);
  }
});

test("an event that cannot follow is a defect of the decision, and no refusal: the state has changed before it", () => {
  const runner = createRunner(PLAN);
  runner.send(startCommand({}), 1);
  const turn = createTurn(PLAN, runner.state as ExecutionState, {
    executionId: EXECUTION_ID,
    now: 1,
    childId: (id) => id,
  });
  const decided = { type: "node_completed", at: 1, nodeId: "w", output: 1 } as const;
  emit(turn, decided);
  const error = catchError(() => emit(turn, decided));
  expect(error).not.toBeInstanceOf(DomainError);
  expect(error).toMatchObject({
    message: "an event was decided that cannot follow: node_completed cannot happen to node w, which is completed",
    cause: { reason: "REPLAY_DIVERGED" },
  });
});

function catchError(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("the same inputs give the same events", () => {
  const context = { executionId: EXECUTION_ID, now: 5, childId: (id: string) => id };
  expect(decide(PLAN, undefined, startCommand({ a: 1 }), context)).toEqual(
    decide(PLAN, undefined, startCommand({ a: 1 }), context),
  );
});

test("the state is advanced in place by the events", () => {
  const context = { executionId: EXECUTION_ID, now: 5, childId: (id: string) => id };
  const { state } = decide(PLAN, undefined, startCommand({}), context);
  expect(decide(PLAN, state, { type: "suspend", reason: "" }, context).state).toBe(state);
  expect(state.status).toBe("suspended");
});

test("time in a history never goes back, and a timer never fires early by a clock that is ahead", () => {
  const runner = createRunner(linkPlan(parsePlan(["a task inputs={}", "b wait duration=100 after=a"])));
  runner.send(startCommand({}), 1_000);
  const behind = runner.send(
    { type: "complete_task", nodeId: "a", attempt: 1, output: 1, startedAt: 0, worker: "w" },
    400,
  );
  expect(behind.events.map(({ at }) => at)).toEqual([1_000, 1_000]);
  expect(runner.send({ type: "fire_timers" }, 1_099).events).toEqual([]);
  expect(runner.send({ type: "fire_timers" }, 1_100).events.length).toBeGreaterThan(0);
});

test("a task keeps its idempotency key when it is derived again, and gets another with the next attempt", () => {
  const runner = createRunner(linkPlan(parsePlan(["a task inputs={}"])));
  const { changes } = runner.send(startCommand({}), 1);
  const again = obligations(runner.plan, runner.state as ExecutionState, EXECUTION_ID);
  expect(again.tasks).toEqual(changes.startTasks);
  runner.send({ type: "fail_task", nodeId: "a", attempt: 1, failure: { type: "x", message: "m" } }, 2);
  const retried = runner.send({ type: "fire_timers" }, 5_000).changes.startTasks;
  expect(retried.map(({ attempt }) => attempt)).toEqual([2]);
  expect(retried[0]?.idempotencyKey).not.toBe(changes.startTasks[0]?.idempotencyKey);
  expect(retried[0]?.input).toEqual(changes.startTasks[0]?.input);
});

test("an agent's description and a child's depth travel with their obligations", () => {
  const document = parsePlan(["a task agent=writer inputs={}", "c child workflow=other version=2"]);
  Object.assign(document.nodes[0] as object, { agent: { model: "m" } });
  const { changes } = createRunner(linkPlan(document)).send(startCommand({ n: 1 }, { depth: 4, priority: 2 }), 1);
  expect(changes.startTasks).toMatchObject([
    { taskType: "agent", taskName: "writer", agent: { model: "m" }, priority: 2 },
  ]);
  expect(changes.startChildren).toEqual([
    { nodeId: "c", childId: "child-of-c", workflowId: "other", version: 2, input: { n: 1 }, priority: 2, depth: 5 },
  ]);
});

test("a plan of an unknown format is refused", () => {
  const document = { ...parsePlan([]), format: "heddle.plan/2" } as unknown as PlanDocument;
  expect(() => linkPlan(document)).toThrow(/does not know the plan format heddle.plan\/2/);
});

test("a text that is no snapshot is refused", () => {
  expect(() => decodeState('{"format":"heddle.state/0","state":{}}')).toThrow(/rebuild the state from its events/);
});

test("a plan whose expressions cannot be compiled fails its executions, not its process", () => {
  const runner = createRunner(linkPlan(parsePlan([`a transform value="\${1 +}"`, `b transform when="((" value=1`])));
  runner.send(startCommand({}), 1);
  expect(runner.state?.failure).toMatchObject({ type: "expression", nodeId: "a" });
});
