import { describe, expect, test } from "vitest";
import { parsePlan } from "../test/support/plan-text.ts";
import { type Runner, createRunner, replay, startCommand } from "../test/support/runner.ts";
import {
  type ExecutionState,
  MAX_ACTIVE_ITEMS,
  MAX_BUFFERED_SIGNALS,
  MAX_EVENTS_PER_TURN,
  MAX_EXECUTION_PAYLOAD_BYTES,
  MAX_REMEMBERED_REQUESTS,
  decodeState,
  encodeState,
  linkPlan,
  nextTimerAt,
} from "./index.ts";

const NODES = 5_000;

function runnerOf(lines: string[]): Runner {
  return createRunner(linkPlan(parsePlan(lines)));
}

/** `make(i)` is the line of node `n<i>`. */
function linesOf(count: number, make: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => `n${i} ${make(i)}`);
}

/** Sends what the runtime would: fire_timers whenever a time is past. Gives the sizes of the turns. */
function goOn(runner: Runner, now: number): number[] {
  const turns: number[] = [];
  while ((nextTimerAt(runner.state as ExecutionState) ?? Infinity) <= now)
    turns.push(runner.send({ type: "fire_timers" }, now).events.length);
  return turns;
}

describe("a turn", { timeout: 60_000 }, () => {
  test("holds a chain of 5,000 nodes, and yields when it is full", () => {
    const runner = runnerOf(linesOf(NODES, (i) => `log message="line \${input.n}"${i > 0 ? ` after=n${i - 1}` : ""}`));
    const first = runner.send(startCommand({ n: 1 }), 1).events.length;
    const turns = [first, ...goOn(runner, 1)];
    expect(Math.max(...turns)).toBeLessThanOrEqual(MAX_EVENTS_PER_TURN);
    expect(turns.length).toBe(2);
    expect(runner.state?.status).toBe("completed");
    expect(runner.history.length).toBe(2 * NODES + 2);
    expect(replay(runner.plan, runner.history)).toEqual(runner.state);
  });

  test("leaves room for the end: 5,000 tasks fail in it at once", () => {
    const runner = runnerOf(linesOf(NODES, () => `task inputs={} retry={"maxAttempts":1}`));
    runner.send(startCommand({}), 1);
    goOn(runner, 1);
    expect(runner.known.tasks.length).toBe(NODES);
    const { events, changes } = runner.send(
      { type: "fail_task", nodeId: "n7", attempt: 1, failure: { type: "x", message: "m" } },
      2,
    );
    expect(events.length).toBe(2 + (NODES - 1) + 1);
    expect(changes.cancelTasks.length).toBe(NODES - 1);
  });

  test("leaves room for the end: items of 15 maps that may run 1,000 at once each", () => {
    const runner = runnerOf([
      ...linesOf(15, () => `map items={"range":{"from":1,"to":1000}} maxConcurrency=1000`),
      `z task inputs={} retry={"maxAttempts":1}`,
    ]);
    const turns = [runner.send(startCommand({}), 1).events.length, ...goOn(runner, 1)];
    expect(Math.max(...turns)).toBeLessThanOrEqual(MAX_EVENTS_PER_TURN);
    expect(runner.known.children.length).toBe(MAX_ACTIVE_ITEMS);
    const failure = { type: "x", message: "m" };
    const { events, changes } = runner.send({ type: "fail_task", nodeId: "z", attempt: 1, failure }, 2);
    expect(events.length).toBe(2 + MAX_ACTIVE_ITEMS + 15 + 1);
    expect(changes.cancelChildren.length).toBe(MAX_ACTIVE_ITEMS);
  });

  test("fires all timers that are due after an outage, over as many turns as it takes", () => {
    const lines = [
      ...linesOf(NODES - 1, () => "wait duration=1000"),
      ...linesOf(NODES - 1, (i) => `log message="m" after=n${i}`).map((line) => `after-${line}`),
    ];
    const runner = runnerOf(lines);
    runner.send(startCommand({}), 1);
    goOn(runner, 1);
    const turns = goOn(runner, 1_000_000);
    expect(turns.length).toBeGreaterThan(1);
    expect(Math.max(...turns)).toBeLessThanOrEqual(MAX_EVENTS_PER_TURN);
    expect(runner.state?.status).toBe("completed");
  });

  test("accepts commands between two parts of the same work", () => {
    const runner = runnerOf(linesOf(NODES, (i) => `log message="m"${i > 0 ? ` after=n${i - 1}` : ""}`));
    runner.send(startCommand({}), 1);
    expect(runner.state?.status).toBe("running");
    runner.send({ type: "suspend", reason: "" }, 2);
    expect(nextTimerAt(runner.state as ExecutionState)).toBeUndefined();
    runner.send({ type: "resume", reason: "" }, 3);
    expect(runner.state?.status).toBe("completed");
  });

  test("a fan-out to 5,000 and back in is one chain of counters", () => {
    const lines = [
      "root transform value=1",
      ...linesOf(NODES - 2, () => "task after=root inputs={}"),
      `all collect after=${linesOf(NODES - 2, () => "")
        .map((id) => id.trim())
        .join(",")}`,
    ];
    const runner = runnerOf(lines);
    runner.send(startCommand({}), 1);
    goOn(runner, 1);
    const tasks = runner.known.tasks.splice(0);
    expect(tasks.length).toBe(NODES - 2);
    for (const { nodeId } of tasks) {
      runner.send({ type: "complete_task", nodeId, attempt: 1, output: 1, startedAt: 0, worker: "w" }, 2);
    }
    expect(runner.state?.status).toBe("completed");
    expect(runner.state?.output).toEqual({ all: Array.from({ length: NODES - 2 }, () => 1) });
  });
});

describe("what an execution holds", { timeout: 60_000 }, () => {
  test("has a limit: one that copies its input over and over fails by size, in turns that yield", () => {
    const runner = runnerOf(linesOf(200, (i) => `transform value="\${input.text}"${i > 0 ? ` after=n${i - 1}` : ""}`));
    runner.send(startCommand({ text: "x".repeat(1_000_000) }), 1);
    const turns = goOn(runner, 1);
    expect(turns.length).toBeGreaterThan(2);
    expect(runner.state?.failure).toMatchObject({ type: "payload_too_large" });
    expect(runner.state?.failure?.message).toContain(String(MAX_EXECUTION_PAYLOAD_BYTES));
    const text = encodeState(runner.state as ExecutionState);
    expect(decodeState(text)).toEqual(runner.state);
  });

  test("signals that nobody waits for are bounded", () => {
    const runner = runnerOf(["a task inputs={}"]);
    runner.send(startCommand({}), 1);
    for (let i = 0; i < MAX_BUFFERED_SIGNALS; i++)
      runner.send({ type: "signal", name: "s", payload: i, requestId: `r${i}` }, 1);
    expect(() => runner.send({ type: "signal", name: "s", payload: 0, requestId: "one more" }, 1)).toThrow(
      /holds 1000 signals/,
    );
    // A repetition is no new signal.
    expect(runner.send({ type: "signal", name: "s", payload: 0, requestId: "r0" }, 1).events).toEqual([]);
    expect(runner.state?.requestIds.length).toBe(MAX_REMEMBERED_REQUESTS);
  });

  test("signals that nobody waits for do not keep out those that are awaited, of senders or of updates", () => {
    const runner = runnerOf([
      'workflow updates=[{"name":"push","signal":"go","key":"${update.payload}"}]',
      "a wait signal=go",
      "b wait signal=go key=k",
    ]);
    runner.send(startCommand({}), 1);
    for (let i = 0; i < MAX_BUFFERED_SIGNALS; i++)
      runner.send({ type: "signal", name: "noise", payload: i, requestId: "" }, 1);
    const push = (payload: string, requestId: string) =>
      runner.send({ type: "update", name: "push", payload, requestId }, 1);
    expect(() => push("other", "u1")).toThrow(/holds 1000 signals/);
    push("k", "u2");
    expect(runner.state!.nodes[1]).toMatchObject({ status: "completed", output: "k" });
    runner.send({ type: "signal", name: "go", payload: 1, requestId: "" }, 1);
    expect(runner.state!.status).toBe("completed");
  });

  test("request ids are remembered up to a number, the oldest go first", () => {
    const count = MAX_REMEMBERED_REQUESTS + 1;
    const runner = runnerOf(linesOf(count + 1, () => "wait signal=s"));
    runner.send(startCommand({}), 1);
    for (let i = 0; i < count; i++) runner.send({ type: "signal", name: "s", payload: i, requestId: `r${i}` }, 1);
    expect(runner.send({ type: "signal", name: "s", payload: 0, requestId: "r1" }, 1).events).toEqual([]);
    expect(runner.send({ type: "signal", name: "s", payload: 0, requestId: "r0" }, 1).events.length).toBeGreaterThan(0);
  });
});

describe("a worker's result", () => {
  test("that is nested too deeply fails its node and nothing else", () => {
    const runner = runnerOf(["a task inputs={}"]);
    runner.send(startCommand({}), 1);
    let output: unknown = 1;
    for (let i = 0; i < 50_000; i++) output = [output];
    runner.send(
      { type: "complete_task", nodeId: "a", attempt: 1, output: output as never, startedAt: 0, worker: "w" },
      2,
    );
    expect(runner.state?.failure?.message).toContain("nested deeper than 100 levels");
  });
});
