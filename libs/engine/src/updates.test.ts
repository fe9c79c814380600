import { describe, expect, test } from "vitest";
import { parsePlan } from "../test/support/plan-text.ts";
import { copyState, createRunner, replay, startCommand } from "../test/support/runner.ts";
import {
  type ExecutionState,
  type Json,
  MAX_EXECUTION_PAYLOAD_BYTES,
  MAX_OPEN_UPDATES,
  MAX_REMEMBERED_UPDATES,
  MAX_REPLY_BYTES,
  answerQuery,
  findUpdateOutcome,
  linkPlan,
} from "./index.ts";

const LINES = [
  `workflow updates=[{"name":"set","set":{"x":"\${update.payload}"},"reply":"\${vars.x}"},{"name":"await","after":"t"}] queries=[{"name":"x","output":{"x":"\${vars.x}","of":"\${query.args}"}}]`,
  "t task inputs={}",
  "w wait signal=go key=7",
];

function started() {
  const runner = createRunner(linkPlan(parsePlan(LINES)));
  runner.send(startCommand({ n: 1 }), 1_000);
  return runner;
}

const stateOf = (runner: ReturnType<typeof started>) => runner.state as ExecutionState;

describe("updates", () => {
  test("are remembered up to a number, and the oldest answer is forgotten first", () => {
    const runner = started();
    runner.send({ type: "update", name: "await", payload: null, requestId: "open" }, 1_000);
    for (let i = 0; i <= MAX_REMEMBERED_UPDATES; i++)
      runner.send({ type: "update", name: "set", payload: i, requestId: `u${i}` }, 1_000);
    expect(findUpdateOutcome(stateOf(runner), "u0")).toBeUndefined();
    expect(findUpdateOutcome(stateOf(runner), "u1")).toEqual({ status: "answered", reply: 1 });
    expect(findUpdateOutcome(stateOf(runner), "open")).toEqual({ status: "open" });
    expect(replay(runner.plan, runner.history)).toEqual(stateOf(runner));
    expect(copyState(stateOf(runner))).toEqual(stateOf(runner));
  });

  test("are refused when too many wait for their answers", () => {
    const runner = started();
    const send = (i: number) =>
      runner.send({ type: "update", name: "await", payload: null, requestId: `u${i}` }, 1_000);
    for (let i = 0; i < MAX_OPEN_UPDATES; i++) send(i);
    expect(() => send(MAX_OPEN_UPDATES)).toThrow(expect.objectContaining({ reason: "EXECUTION_LIMIT_REACHED" }));
    expect(send(0).events).toEqual([]);
  });

  test("have replies of bounded size", () => {
    const runner = started();
    runner.send({ type: "update", name: "set", payload: "x".repeat(MAX_REPLY_BYTES), requestId: "u" }, 1_000);
    expect(findUpdateOutcome(stateOf(runner), "u")).toMatchObject({
      status: "failed",
      failure: { type: "payload_too_large" },
    });
  });

  test("do not fill an execution that is updated for years", () => {
    const runner = started();
    const payload = "x".repeat(MAX_REPLY_BYTES / 2);
    const rounds = Math.ceil(MAX_EXECUTION_PAYLOAD_BYTES / payload.length) * 2;
    for (let i = 0; i < rounds; i++) runner.send({ type: "update", name: "set", payload, requestId: `u${i}` }, 1_000);
    expect(stateOf(runner).status).toBe("running");
    expect(stateOf(runner).payloadBytes).toBeLessThan((MAX_REMEMBERED_UPDATES + 3) * payload.length);
  });

  test("that were open when the execution ended say so", () => {
    const runner = started();
    runner.send({ type: "update", name: "await", payload: null, requestId: "u" }, 1_000);
    runner.send({ type: "cancel", reason: "over" }, 1_000);
    expect(findUpdateOutcome(stateOf(runner), "u")).toMatchObject({
      status: "failed",
      failure: { type: "execution_ended", message: expect.stringContaining("canceled") },
    });
  });
});

describe("queries", () => {
  const ask = (runner: ReturnType<typeof started>, name: string, args: Json = null) =>
    answerQuery(runner.plan, stateOf(runner), { executionId: "e", name, args });

  test("answer from the state as it stands, and change nothing", () => {
    const runner = started();
    const before = copyState(stateOf(runner));
    expect(() => ask(runner, "x")).toThrow(expect.objectContaining({ reason: "QUERY_FAILED" }));
    expect(() => ask(runner, "y")).toThrow(expect.objectContaining({ reason: "QUERY_UNKNOWN" }));
    expect(copyState(stateOf(runner))).toEqual(before);
    runner.send({ type: "update", name: "set", payload: { deep: [1] }, requestId: "u" }, 1_000);
    const answer = ask(runner, "x", "me");
    expect(answer).toEqual({ x: { deep: [1] }, of: "me" });
    (answer as { x: { deep: number[] } }).x.deep.push(2);
    expect(stateOf(runner).vars).toEqual({ x: { deep: [1] } });
    runner.send({ type: "cancel", reason: "" }, 1_000);
    expect(ask(runner, "x", 1)).toEqual({ x: { deep: [1] }, of: 1 });
  });

  test("that are built in leave out what undoes steps, which is there only at the end", () => {
    const runner = createRunner(
      linkPlan(
        parsePlan([
          `a task inputs={} compensate={"kind":"action","action":"log","level":"info","message":"undone"}`,
          "c child workflow=other",
          "w wait signal=go after=a",
        ]),
      ),
    );
    runner.send(startCommand({}), 1_000);
    expect(Object.keys(ask(runner, "nodes") as object)).toEqual(["a", "c", "w"]);
    expect(ask(runner, "waits")).toEqual([]);
    runner.send({ type: "complete_task", nodeId: "a", attempt: 1, output: 1, startedAt: 0, worker: "w" }, 1_000);
    expect(ask(runner, "waits")).toMatchObject([{ node: "w", signal: "go" }]);
    runner.send({ type: "cancel", reason: "" }, 1_000);
    expect(ask(runner, "nodes")).toMatchObject({ "a.compensate": { status: "pending" }, c: { status: "canceled" } });
  });

  test("that are built in say what is there and what is waited for", () => {
    const runner = started();
    runner.send({ type: "signal", name: "other", key: "k", payload: 1, requestId: "" }, 1_000);
    expect(ask(runner, "input")).toEqual({ n: 1 });
    expect(ask(runner, "vars")).toEqual({});
    expect(ask(runner, "signals")).toEqual([{ name: "other", key: "k" }]);
    expect(ask(runner, "waits")).toEqual([{ node: "w", signal: "go", event: null, key: "7", until: null }]);
    expect(ask(runner, "nodes")).toEqual({
      t: { status: "scheduled", attempt: 1, error: null },
      w: { status: "waiting", attempt: 0, error: null },
    });
  });
});
