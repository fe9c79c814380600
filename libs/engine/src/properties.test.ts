import { isDeepStrictEqual } from "node:util";
import { DomainError } from "@heddle/errors";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEndingModel } from "../test/support/ending-model.ts";
import { createOrderModel } from "../test/support/order-model.ts";
import { type Random, createRandom } from "../test/support/random.ts";
import { makeRandomPlan } from "../test/support/random-plan.ts";
import { playRandomly } from "../test/support/random-run.ts";
import { currentHumanTask } from "./find-human-task.ts";
import { isOwnNode } from "./own-nodes.ts";
import {
  EXECUTION_ID,
  type Runner,
  copyState,
  createRunner,
  replay,
  rerunCommand,
  sortedObligations,
} from "../test/support/runner.ts";
import {
  type Command,
  type DecideContext,
  type ExecutionState,
  type NodeVerdict,
  MAX_EVENTS_PER_TURN,
  type NodeStatus,
  countNodes,
  encodeState,
  evolve,
  foreseeReset,
  isFinished,
  isIncident,
  linkPlan,
  listNodes,
  listOpenIncidents,
  nextTimerAt,
  planRerun,
} from "./index.ts";

/** The same every time, so that a run judges a change and not its luck; `make properties` looks further. */
const SEED = Number(process.env.SEED ?? 20_261_121);
console.log(`SEED=${SEED} repeats this run of the engine's properties`);

/** Plays random executions of random plans. `seed` alone makes the plan and its run. */
function checkAllRuns(maxSize: number, numRuns: number, property: (runner: Runner, random: Random) => void): void {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: maxSize }), fc.nat(), (size, seed) => {
      const random = createRandom(seed);
      property(createRunner(linkPlan(makeRandomPlan(random, size))), random);
    }),
    { numRuns, seed: SEED },
  );
}

function expectSame(actual: ExecutionState | undefined, expected: ExecutionState | undefined): void {
  // Fast, and the slow comparison only to show the difference.
  if (actual && expected && isDeepStrictEqual(copyState(actual), copyState(expected))) return;
  expect(actual).toEqual(expected);
}

describe("every random execution", { timeout: 60_000 }, () => {
  test("ends once all its obligations are answered, and wants nothing afterwards", () => {
    const statuses = new Set<string>();
    checkAllRuns(300, 40, (runner, random) => {
      playRandomly(runner, random, { onStep: () => {} });
      const state = runner.state as ExecutionState;
      expect(isFinished(state)).toBe(true);
      expect(nextTimerAt(state)).toBeUndefined();
      expect(sortedObligations(runner).expected).toMatchObject({ tasks: [], children: [] });
      statuses.add(state.status);
    });
    // The property means something only if executions end in different ways; cancels are rare in so few.
    expect([...statuses]).toEqual(expect.arrayContaining(["completed", "failed"]));
  });

  test("can be run again from anywhere, and keeps no node that comes after one that runs", () => {
    const statuses = new Set<string>();
    let kept = 0;
    checkAllRuns(60, 200, (past, random) => {
      playRandomly(past, random, { onStep: () => {} });
      const state = past.state as ExecutionState;
      const own = past.plan.nodes.filter((node) => isOwnNode(past.plan, node));
      const selection = {
        from: random.chance(0.7) ? [random.pick(own).id] : [],
        failed: random.chance(0.2),
        changed: random.chance(0.2),
      };
      const input = random.chance(0.7) ? state.input : { n: random.below(4), flag: random.chance(0.5) };
      let start: Command;
      try {
        start = rerunCommand(past, input, selection);
      } catch (error) {
        if (error instanceof DomainError && error.reason === "NOTHING_TO_RERUN") return;
        throw error;
      }
      const runner = createRunner(past.plan);
      const model = createOrderModel(runner.plan);
      playRandomly(runner, random, {
        start,
        onStep({ events }) {
          for (const event of events) model.observe(event);
          model.rest();
          checkCounts(runner);
          const { expected, known } = sortedObligations(runner);
          expect(known).toEqual(expected);
          expectSame(replay(runner.plan, runner.history), runner.state);
        },
      });
      expect(isFinished(runner.state as ExecutionState)).toBe(true);
      checkVerdicts(
        planRerun({ ...past, state, executionId: "" }, { plan: past.plan, input }, selection).nodes,
        runner,
      );
      statuses.add(runner.state?.status ?? "");
      kept += runner.history.filter(({ type }) => type === "node_reused").length;
    });
    expect([...statuses]).toEqual(expect.arrayContaining(["completed", "failed"]));
    expect(kept).toBeGreaterThan(100);
  });

  test("does in a reset what was foreseen of it, which itself changes nothing", () => {
    let resets = 0;
    let stopped = 0;
    checkAllRuns(60, 300, (runner, random) => {
      const own = runner.plan.nodes.filter((node) => isOwnNode(runner.plan, node));
      playRandomly(runner, random, {
        onStep() {
          const state = runner.state as ExecutionState;
          if (!random.chance(0.2)) return;
          const from = [random.pick(own).id];
          const command = { type: "reset" as const, from, reason: "", requestId: "" };
          const before = encodeState(state);
          const forecast = attempt(() => foreseeReset(runner.plan, state, command, foresightContext(state)));
          expect(encodeState(state)).toBe(before);
          const step = attempt(() => runner.send(command, state.updatedAt));
          expect(step === undefined).toBe(forecast === undefined);
          if (step === undefined || forecast === undefined) return;
          const reset = step.events.find(({ type }) => type === "execution_reset");
          expect(reset).toMatchObject({
            nodeIds: forecast.flatMap(({ nodeId, reason }) => (reason === undefined ? [] : [nodeId])),
          });
          const { cancelTasks, cancelChildren } = step.changes;
          const tasks = forecast.flatMap(({ nodeId, stoppedAttempt }) =>
            stoppedAttempt === undefined ? [] : [`${nodeId}#${stoppedAttempt}`],
          );
          expect(tasks.sort()).toEqual(cancelTasks.map(({ nodeId, attempt: n }) => `${nodeId}#${n}`).sort());
          const children = forecast.flatMap(({ stoppedChildIds }) => stoppedChildIds);
          expect(children.sort()).toEqual(cancelChildren.map(({ childId }) => childId).sort());
          resets++;
          stopped += tasks.length + children.length;
        },
      });
    });
    expect(Math.min(resets, stopped)).toBeGreaterThan(50);
  });

  test("never starts a node before what it waits for is settled, and never twice", () => {
    checkAllRuns(300, 40, (runner, random) => {
      const model = createOrderModel(runner.plan);
      const endings = createEndingModel(runner.plan);
      playRandomly(runner, random, {
        onStep({ events }) {
          expect(events.length).toBeLessThanOrEqual(MAX_EVENTS_PER_TURN);
          for (const event of events) {
            model.observe(event);
            endings.observe(event);
          }
          model.rest();
        },
      });
    });
  });

  test("has the obligations that its changes add up to, after every command", () => {
    checkAllRuns(100, 150, (runner, random) => {
      playRandomly(runner, random, {
        onStep() {
          const { expected, known } = sortedObligations(runner);
          expect(known).toEqual(expected);
        },
      });
    });
  });

  test("gives the same state when any prefix of its history is replayed", () => {
    checkAllRuns(20, 60, (runner, random) => {
      playRandomly(runner, random, {
        onStep: () => expectSame(replay(runner.plan, runner.history), runner.state),
      });
      let state: ExecutionState | undefined;
      for (const [index, event] of runner.history.entries()) {
        state = evolve(runner.plan, state, event);
        expectSame(replay(runner.plan, runner.history.slice(0, index + 1)), state);
      }
      expectSame(state, runner.state);
    });
  });

  test("survives a snapshot and its events' way through JSON at every prefix", () => {
    checkAllRuns(60, 60, (runner, random) => {
      playRandomly(runner, random, { onStep: () => {} });
      let state: ExecutionState | undefined;
      for (const event of runner.history) {
        const sent = JSON.parse(JSON.stringify(event)) as typeof event;
        state = evolve(runner.plan, state && copyState(state), sent);
      }
      expectSame(state, runner.state);
    });
  });

  test("keeps its counts and timers as a look at all nodes would give them", () => {
    checkAllRuns(100, 100, (runner, random) => {
      playRandomly(runner, random, { onStep: () => checkCounts(runner) });
    });
  });
});

/** Undefined for what is refused. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return undefined;
  }
}

function foresightContext({ updatedAt }: ExecutionState): DecideContext {
  return { executionId: EXECUTION_ID, now: updatedAt, childId: (nodeId) => `child-of-${nodeId}` };
}

/** What was foretold of a rerun is what its history says, and nothing runs again for the sake of what is kept. */
function checkVerdicts(verdicts: readonly NodeVerdict[], { history }: Runner): void {
  const reused = history.flatMap((event) => (event.type === "node_reused" ? [event.nodeId] : []));
  expect(verdicts.flatMap(({ nodeId, reason }) => (reason === undefined ? [nodeId] : []))).toEqual(reused);
  const running = new Set(verdicts.flatMap(({ nodeId, reason }) => (reason === undefined ? [] : [nodeId])));
  for (const { becauseOf } of verdicts) expect(becauseOf === undefined || running.has(becauseOf)).toBe(true);
}

function checkCounts(runner: Runner): void {
  const state = runner.state as ExecutionState;
  const nodes = listNodes(runner.plan, state);
  const counts = countNodes(state);
  for (const status of Object.keys(counts) as NodeStatus[]) {
    expect(nodes.filter((node) => node.status === status).length).toBe(counts[status]);
  }
  const waitForPeople = nodes.flatMap((node, index) => (isIncident(node) ? [index] : []));
  const incidents = listOpenIncidents(state);
  expect(incidents.map(({ node }) => node).toSorted((a, b) => a - b)).toEqual(waitForPeople);
  expect(incidents.map(({ openedAt }) => openedAt)).toEqual(
    incidents.map(({ openedAt }) => openedAt).toSorted((a, b) => a - b),
  );
  if (state.status !== "running") return;
  const times = nodes
    .filter(({ status }) => status === "waiting" || status === "backing_off" || status === "scheduled")
    .map(({ dueAt }) => dueAt);
  if (state.deadlineAt !== undefined) times.push(state.deadlineAt);
  const earliest = Math.min(...times.filter((time) => time !== undefined));
  expect(nextTimerAt(state) ?? Infinity).toBe(earliest);
  // What is stopped then is not counted any more: nothing comes after it.
  if (state.ending !== undefined || state.handling !== undefined) return;
  const isOpen = (index: number) =>
    ["pending", "scheduled", "backing_off", "waiting"].includes(nodes[index]?.status as NodeStatus);
  const openIn = (container: number | undefined) =>
    runner.plan.nodes.filter(
      ({ index, definition, role }) => role === undefined && definition.container === container && isOpen(index),
    ).length;
  expect(state.openNodes).toBe(openIn(undefined));
  for (const [index, { status, turn, fallback }] of nodes.entries()) {
    const task = currentHumanTask(state, index);
    // A task waits exactly as long as its node does, and never outlives it.
    if (runner.plan.nodes[index]?.definition.kind === "human" && fallback === undefined)
      expect(task !== undefined && task.endedAt === undefined).toBe(status === "waiting");
    if (status === "waiting" && turn !== undefined && fallback === undefined) expect(turn.open).toBe(openIn(index));
  }
}
