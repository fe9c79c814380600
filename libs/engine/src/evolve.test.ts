import { expect, test } from "vitest";
import { parsePlan } from "../test/support/plan-text.ts";
import { copyState, createRunner, startCommand } from "../test/support/runner.ts";
import { type Event, type ExecutionState, evolve, linkPlan } from "./index.ts";

const PLAN = linkPlan(parsePlan(["a task inputs={}", "s switch on=1 1=>b", "b task inputs={}"]));
const STARTED: Event = {
  type: "execution_started",
  at: 1,
  namespace: "default",
  workflowId: "test",
  version: 1,
  input: {},
  requestId: "",
  priority: 5,
  labels: {},
};

function started(): ExecutionState {
  return evolve(PLAN, undefined, STARTED);
}

test.each<[string, Event, RegExp]>([
  ["a second start", STARTED, /second execution_started/],
  ["an unknown node", { type: "node_canceled", at: 2, nodeId: "x" }, /names node x/],
  ["an unknown target", { type: "node_completed", at: 2, nodeId: "s", output: 1, chosen: ["x"] }, /names node x/],
  [
    "a result of nothing",
    { type: "task_completed", at: 2, nodeId: "a", attempt: 1, output: 1, startedAt: 1, worker: "w" },
    /a, which is pending/,
  ],
  [
    "an attempt out of turn",
    { type: "task_scheduled", at: 2, nodeId: "a", attempt: 2, input: {} },
    /attempt 1 must come/,
  ],
  ["a cancel of nothing", { type: "node_canceled", at: 2, nodeId: "a" }, /a, which is pending/],
])("refuses %s and changes nothing", (_, event, message) => {
  const state = started();
  const before = copyState(state);
  expect(() => evolve(PLAN, state, event)).toThrow(message);
  expect(state).toEqual(before);
});

test("refuses a history without its start, and one that goes on after its end", () => {
  const failed: Event = { type: "execution_failed", at: 2, failure: { type: "x", message: "m" } };
  expect(() => evolve(PLAN, undefined, failed)).toThrow(/must begin with execution_started/);
  const state = evolve(PLAN, started(), failed);
  expect(() => evolve(PLAN, state, failed)).toThrow(/after its end/);
});

test("keeps everything that a start said", () => {
  const parent = { executionId: "p", nodeId: "n" };
  const runner = createRunner(PLAN);
  runner.send(
    startCommand({ x: 1 }, { parent, depth: 2, labels: { a: "b" }, traceparent: "00-1-2-01", priority: 3 }),
    7,
  );
  expect(runner.state).toMatchObject({
    parent,
    depth: 2,
    labels: { a: "b" },
    traceparent: "00-1-2-01",
    priority: 3,
    startedAt: 7,
  });
});
