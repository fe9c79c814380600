import { describe, expect, test } from "vitest";
import { parsePlan } from "../test/support/plan-text.ts";
import { EXECUTION_ID, createRunner, replay, sortedObligations, startCommand } from "../test/support/runner.ts";
import {
  type Command,
  type Event,
  type ExecutionState,
  MAX_ABANDONED,
  decide,
  linkPlan,
  nextTimerAt,
  obligations,
  obligationsOf,
} from "./index.ts";

const runnerOf = (...lines: string[]) => createRunner(linkPlan(parsePlan(lines)));
const done = (nodeId: string, childId: string): Command => ({
  type: "complete_child",
  nodeId,
  childId,
  output: 1,
});

/** Without what the runner keeps for comparisons: there is much of it. */
function createPlain(...lines: string[]) {
  // More than usual, and more than a turn has room for.
  const plan = linkPlan(parsePlan(lines), { maxActiveItems: 12_000 });
  const plain = {
    plan,
    history: [] as Event[],
    state: undefined as ExecutionState | undefined,
    send(command: Command, now: number) {
      const context = { executionId: EXECUTION_ID, now, childId: (nodeId: string) => `child-of-${nodeId}` };
      const { state, events } = decide(plan, plain.state, command, context);
      plain.state = state;
      plain.history.push(...events);
      return obligationsOf(plan, state, events, EXECUTION_ID);
    },
  };
  return plain;
}

const idsOf = (children: readonly { childId: string }[]) => new Set(children.map(({ childId }) => childId));

describe("what was canceled", () => {
  test("is forgotten beyond so many, but for what has been canceled last", () => {
    const plain = createPlain(
      'each loop until="loop.index >= 29"',
      'all map in=each items={"range":{"from":1,"to":500}} maxConcurrency=500 until="items.succeeded >= 1" collect=false',
    );
    let { startChildren: running } = plain.send(startCommand({}), 0);
    for (let turn = 0; turn < 30; turn++) {
      expect(running).toHaveLength(500);
      const [first, ...others] = running;
      const { cancelChildren, startChildren } = plain.send(done("all[0]", first!.childId), turn);
      expect(idsOf(cancelChildren)).toEqual(idsOf(others));
      running = startChildren;
      const { abandoned = [] } = plain.state as ExecutionState;
      expect(abandoned.length).toBeLessThanOrEqual(MAX_ABANDONED + 499);
      expect(abandoned.slice(-499).map((past) => past.childId)).toEqual(others.map(({ childId }) => childId));
    }
    expect(plain.state!.status).toBe("completed");
    expect(replay(plain.plan, plain.history)).toEqual(plain.state);
  });

  test("is all told, however much it is, also when its loop goes on at once, and by recovery", () => {
    const maps = Array.from({ length: 12 }, (_, i) => `m${i}`);
    const plain = createPlain(
      'each loop until="loop.index >= 2"',
      `race parallel in=each branches=go,${maps.join(",")} race=true cancelRest=true when="loop.index == 0"`,
      "go wait in=each signal=go",
      ...maps.map((id) => `${id} map in=each items={"range":{"from":1,"to":1000}} maxConcurrency=1000`),
      "last wait after=each signal=end",
    );
    const started = plain.send(startCommand({}), 0).startChildren;
    while (started.length < 12_000) started.push(...plain.send({ type: "fire_timers" }, 0).startChildren);
    const { cancelChildren } = plain.send({ type: "signal", name: "go", payload: 1, requestId: "" }, 1);
    expect(idsOf(cancelChildren)).toEqual(idsOf(started));
    while ((nextTimerAt(plain.state!) ?? Infinity) <= 1) plain.send({ type: "fire_timers" }, 1);
    expect(plain.state!.nodes.at(-1)!.status).toBe("waiting");
    expect(idsOf(obligations(plain.plan, plain.state!, EXECUTION_ID).cancelChildren)).toEqual(idsOf(started));
  });

  test("is not kept when it is left to itself", () => {
    const runner = runnerOf(
      'each loop until="loop.index >= 1"',
      'all map in=each items=[1,2,3] maxConcurrency=3 until="items.succeeded >= 1" onParentClose=leave',
      "race parallel in=each branches=go,child race=true cancelRest=true",
      "go wait in=each signal=go",
      "child child in=each workflow=other inputs={} onParentClose=leave",
    );
    runner.send(startCommand({}), 0);
    runner.send({ type: "signal", name: "go", payload: 1, requestId: "" }, 1);
    runner.send(done("all[0]", "child-of-all[0]"), 2);
    expect(runner.state!.nodes[0]!.turn).toMatchObject({ index: 1 });
    expect(runner.state!.abandoned).toBeUndefined();
  });
});

describe("machines that were canceled", () => {
  const lines = [
    'each loop until="loop.index >= 39"',
    "race parallel in=each branches=go,machine race=true cancelRest=true",
    "go wait in=each signal=go",
    'machine machine in=each workflow=m context={"c":"${input.big}"}',
  ];
  const big = "x".repeat(10_000);

  test("are counted with what was to create them, as long as nobody knows whether they exist", () => {
    const runner = runnerOf(...lines);
    runner.send(startCommand({ big }), 0);
    for (let turn = 0; turn < 30; turn++) runner.send({ type: "signal", name: "go", payload: 1, requestId: "" }, turn);
    expect(runner.state!.abandoned).toHaveLength(30);
    expect(runner.state!.payloadBytes).toBeGreaterThan(300_000);
    expect(sortedObligations(runner).known).toEqual(sortedObligations(runner).expected);
  });

  test("are small once they exist", () => {
    const runner = runnerOf(...lines);
    runner.send(startCommand({ big }), 0);
    for (let turn = 0; turn < 30; turn++) {
      runner.send({ type: "acknowledge_machine", nodeId: "machine", machineId: `m${turn}` }, turn);
      runner.send({ type: "signal", name: "go", payload: 1, requestId: "" }, turn);
    }
    expect(runner.state!.abandoned).toHaveLength(30);
    expect(runner.state!.payloadBytes).toBeLessThan(50_000);
    expect(JSON.stringify(runner.state).length).toBeLessThan(50_000);
    expect(sortedObligations(runner).known).toEqual(sortedObligations(runner).expected);
  });
});
