import { create } from "@bufbuild/protobuf";
import { TaskSchema, TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { LinkSyncSchema } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import { describe, expect, it } from "vitest";
import { ALL_PARTITIONS, createSimulation, task, type Simulation } from "../../test/simulation.ts";
import { acknowledgeResults, closeLink, openLink, scheduleTasks, syncTasks, takeBackResults } from "./links.ts";
import type { Owner } from "./model.ts";
import { takeLinkFrames } from "./outgoing.ts";

function connected(limits?: Parameters<typeof createSimulation>[0]): Simulation {
  const simulation = createSimulation(limits);
  simulation.openLink();
  return simulation;
}

const [first, second] = [task(0).taskId, task(1).taskId];

/** Another owner, which says what it wants in one frame. */
function sync(simulation: Simulation, owner: Owner, numbers: number[], partitions = ALL_PARTITIONS, last = true): void {
  const tasks = numbers.map((number) => task(number));
  syncTasks(simulation.state, owner, create(LinkSyncSchema, { partitions, tasks, last }), simulation.nowMs);
}

function resultsOf(simulation: Simulation, owner: Owner): string[] {
  return takeLinkFrames(owner, simulation.state.limits).flatMap(({ frame }) =>
    frame.case === "results" ? frame.value.results.map(({ taskId }) => taskId) : [],
  );
}

describe("a schedule", () => {
  it("that comes again changes nothing", () => {
    const simulation = connected();
    simulation.schedule(task(0), task(0));
    simulation.connect("w");
    simulation.schedule(task(0));
    expect(simulation.deliveries).toHaveLength(1);
    simulation.finish("w", [first]);
    simulation.schedule(task(0));
    expect(simulation.deliveries).toHaveLength(1);
  });

  it.each([
    [{ type: TaskType.UNSPECIFIED, name: "x" }, "neither tool (1) nor agent (2)"],
    [{ type: TaskType.TOOL, name: "" }, "names no tool or agent"],
    [{ type: TaskType.AGENT, name: "n".repeat(129) }, "the limit is 128"],
  ])("of a task that cannot run fails that task alone: %o", (fields, message) => {
    const simulation = connected();
    simulation.schedule(create(TaskSchema, { ...task(0), ...fields }), task(1));
    const failure = simulation.owner.recorded.get(first)?.failure;
    expect(failure).toMatchObject({ type: "task_invalid", nonRetryable: true });
    expect(failure?.message).toContain(message);
    expect(simulation.state.counts.waiting).toBe(1);
  });

  it("beyond the limit is refused with QUEUE_FULL; what is known stays", () => {
    const simulation = connected({ tasksMax: 2 });
    expect(() => simulation.schedule(task(0), task(1), task(2))).toThrow("holds 2 tasks and takes at most 2");
    expect(simulation.state.counts.waiting).toBe(2);
  });
});

describe("a cancel", () => {
  it("ends what waits and what runs, frees the slot, and lets a late result be refused", () => {
    const simulation = connected();
    simulation.connect("w", { slots: 1 });
    simulation.schedule(task(0), task(1));
    const token = simulation.worker("w").held.get(first) as bigint;
    simulation.cancel(second, first, "unknown");
    expect(simulation.worker("w").held.size).toBe(0);
    expect(simulation.state.counts.tasks).toBe(0);
    simulation.worker("w").held.set(first, token);
    simulation.finish("w", [first]);
    expect(simulation.worker("w").refusals).toEqual([first]);
    simulation.schedule(task(2));
    expect(simulation.worker("w").held.has(task(2).taskId)).toBe(true);
  });

  it("of a task whose result is not acknowledged lets the worker forget it", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    simulation.finish("w", [first]);
    expect(simulation.worker("w").unacknowledged.size).toBe(1);
    simulation.cancel(first);
    expect(simulation.worker("w").unacknowledged.size).toBe(0);
  });
});

describe("results", () => {
  it("are kept until they are acknowledged, and come again after a reconnect", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    simulation.finish("w", [first]);
    simulation.closeLink();
    simulation.finish("w", [second]);
    // The owner was killed before it wrote down what it got.
    simulation.owner.wanted.set(first, task(0));
    simulation.owner.recorded.clear();
    simulation.openLink();
    expect([...simulation.owner.recorded.keys()].sort()).toEqual([first, second]);
    expect(simulation.worker("w").unacknowledged.size).toBe(2);
    simulation.acknowledge();
    expect(simulation.worker("w").unacknowledged.size).toBe(0);
    expect(simulation.state.counts.tasks).toBe(0);
  });

  it("that the owner has recorded but not acknowledged are over with its next sync", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    simulation.finish("w", [first]);
    simulation.closeLink();
    simulation.openLink();
    expect(simulation.owner.unwanted).toBe(0);
    expect(simulation.worker("w").unacknowledged.size).toBe(0);
  });

  it("are acknowledged to the worker only up to the first frame with an open one", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1), task(2));
    const owner = simulation.owner.link as Owner;
    for (const number of [0, 1, 2]) simulation.finish("w", [task(number).taskId]);
    acknowledgeResults(simulation.state, owner, 1n);
    simulation.turn();
    expect([...simulation.worker("w").unacknowledged.keys()]).toEqual([2n, 3n]);
    simulation.cancel(task(2).taskId);
    expect([...simulation.worker("w").unacknowledged.keys()]).toEqual([2n, 3n]);
    acknowledgeResults(simulation.state, owner, 2n);
    simulation.turn();
    expect(simulation.worker("w").unacknowledged.size).toBe(0);
  });

  it("go out only up to the bound on unacknowledged ones, and then on", () => {
    const simulation = connected({ unacknowledgedResultsMax: 2 });
    simulation.connect("w", { slots: 10 });
    simulation.schedule(...[0, 1, 2, 3, 4].map((number) => task(number)));
    simulation.finish(
      "w",
      [0, 1, 2, 3, 4].map((number) => task(number).taskId),
    );
    expect(simulation.owner.recorded.size).toBe(2);
    simulation.acknowledge();
    expect(simulation.owner.recorded.size).toBe(4);
    simulation.acknowledge();
    expect(simulation.owner.recorded.size).toBe(5);
  });
});

describe("results that an owner gives back", () => {
  it("are kept for the next owner of their partition, and the worker does its work once", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    const old = simulation.owner.link as Owner;
    simulation.finish("w", [first, second]);
    takeBackResults(simulation.state, old, [first]);
    acknowledgeResults(simulation.state, old, 1n);
    simulation.turn();
    expect(simulation.state.partitions[0]?.tasks.size).toBe(1);
    expect(simulation.state.partitions[1]?.tasks.size).toBe(0);
    expect(simulation.worker("w").unacknowledged.size).toBe(1);
    const next = openLink(simulation.state, "next", () => {}, simulation.nowMs);
    sync(simulation, next, [0], [0]);
    expect(resultsOf(simulation, next)).toEqual([first]);
    acknowledgeResults(simulation.state, next, 1n);
    simulation.turn();
    expect(simulation.worker("w").unacknowledged.size).toBe(0);
    expect(simulation.deliveries).toHaveLength(2);
  });

  it("come again to the same owner with its sync, whatever it says of their old frame by then", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    const owner = simulation.owner.link as Owner;
    simulation.finish("w", [first]);
    takeBackResults(simulation.state, owner, [first, "unknown"]);
    sync(simulation, owner, [0], [0]);
    expect(resultsOf(simulation, owner)).toEqual([first]);
    acknowledgeResults(simulation.state, owner, 1n);
    expect(simulation.state.counts.finished).toBe(1);
    acknowledgeResults(simulation.state, owner, 2n);
    simulation.turn();
    expect([simulation.state.counts.tasks, owner.unacknowledged]).toEqual([0, 0]);
    expect(simulation.worker("w").unacknowledged.size).toBe(0);
  });

  it("are another's by now: the old owner's word counts no longer", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    const old = simulation.owner.link as Owner;
    simulation.finish("w", [first]);
    const next = openLink(simulation.state, "next", () => {}, simulation.nowMs);
    sync(simulation, next, [0], [0]);
    takeBackResults(simulation.state, old, [first]);
    acknowledgeResults(simulation.state, old, 1n);
    expect(resultsOf(simulation, next)).toEqual([first]);
    acknowledgeResults(simulation.state, next, 1n);
    expect([simulation.state.counts.tasks, old.unacknowledged]).toEqual([0, 0]);
  });
});

describe("a sync", () => {
  it("drops what it does not name, in its partitions only", () => {
    const simulation = connected();
    simulation.connect("w", { slots: 2 });
    simulation.schedule(task(0), task(1), task(64), task(65));
    const owner = simulation.owner.link as Owner;
    sync(simulation, owner, [64], [0]);
    simulation.turn();
    expect([...simulation.worker("w").held.keys()].sort()).toEqual([second, task(64).taskId].sort());
    expect(simulation.state.counts.tasks).toBe(3);
  });

  it("in several frames drops nothing before the last, nor what is scheduled in between", () => {
    const simulation = connected();
    simulation.schedule(task(0), task(1), task(2));
    const owner = simulation.owner.link as Owner;
    sync(simulation, owner, [0], ALL_PARTITIONS, false);
    simulation.schedule(task(3));
    expect(simulation.state.counts.tasks).toBe(4);
    sync(simulation, owner, [1], [], true);
    expect([0, 1, 2, 3].map((number) => simulation.state.partitions[number]?.tasks.size)).toEqual([1, 1, 0, 1]);
  });

  it("of a result that is on its way on the same link does not send it twice", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    simulation.finish("w", [first]);
    const owner = simulation.owner.link as Owner;
    sync(simulation, owner, [0]);
    expect(resultsOf(simulation, owner)).toEqual([]);
  });

  it("moves partitions to another owner: results go there, and the old one's word counts no longer", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    const old = simulation.owner.link as Owner;
    simulation.finish("w", [first]);
    const other = openLink(simulation.state, "other", () => {}, simulation.nowMs);
    sync(simulation, other, [0], [0]);
    acknowledgeResults(simulation.state, old, 1n);
    expect(simulation.state.partitions[0]?.tasks.size).toBe(1);
    expect(resultsOf(simulation, other)).toEqual([first]);
    simulation.finish("w", [second]);
    expect(simulation.owner.recorded.has(second)).toBe(true);
    expect(resultsOf(simulation, other)).toEqual([]);
  });
});

describe("an owner that has lost a partition and is heard late", () => {
  /** The old owner has synced everything with epoch 1, the next one partition 0 with epoch 2. */
  function moved() {
    const simulation = connected();
    simulation.connect("w");
    const [old, next] = ["old", "next"].map((id) => openLink(simulation.state, id, () => {}, simulation.nowMs));
    const say = (owner: Owner | undefined, epoch: bigint, ...numbers: number[]) =>
      syncTasks(
        simulation.state,
        owner as Owner,
        create(LinkSyncSchema, {
          partitions: [0],
          epochs: [epoch],
          tasks: numbers.map((number) => task(number)),
          last: true,
        }),
        simulation.nowMs,
      );
    say(old, 1n);
    say(next, 2n, 0);
    simulation.turn();
    return { simulation, old: old as Owner, next: next as Owner, say };
  }

  it("gets no results for a task that it scheduled before", () => {
    const { simulation, old, next } = moved();
    scheduleTasks(simulation.state, old, [task(0), task(64)], simulation.nowMs);
    simulation.finish("w", [first]);
    expect(resultsOf(simulation, old)).toEqual([]);
    expect(resultsOf(simulation, next)).toEqual([first]);
    acknowledgeResults(simulation.state, next, 1n);
    expect(simulation.state.counts.tasks).toBe(0);
  });

  it("takes nothing back and drops nothing with a sync of its time", () => {
    const { simulation, old, next, say } = moved();
    say(old, 1n, 64);
    simulation.turn();
    expect([...(simulation.state.partitions[0]?.tasks.keys() ?? [])]).toEqual([first]);
    simulation.finish("w", [first]);
    expect(resultsOf(simulation, next)).toEqual([first]);
    say(old, 3n, 0);
    expect(resultsOf(simulation, old)).toEqual([first]);
  });
});

describe("a link", () => {
  it("of the same owner replaces the older one", () => {
    const simulation = connected();
    const old = simulation.owner.link as Owner;
    simulation.openLink();
    expect(old.closed?.reason).toBe("REPLACED_BY_NEW_LINK");
    expect(old.connected).toBe(false);
    closeLink(simulation.state, old, simulation.nowMs);
    simulation.connect("w");
    simulation.schedule(task(0));
    simulation.finish("w", [first]);
    expect(simulation.owner.recorded.has(first)).toBe(true);
  });

  it("that is gone leaves its tasks as they are, for a while", () => {
    const simulation = connected({ orphanDurationMs: 30_000 });
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    simulation.closeLink();
    simulation.finish("w", [second]);
    for (let round = 0; round < 9; round++) {
      simulation.pass(3_000);
      simulation.heartbeat("w");
    }
    expect(simulation.state.counts).toMatchObject({ running: 1, finished: 1 });
    simulation.pass(4_000);
    expect(simulation.state.counts.tasks).toBe(0);
    expect(simulation.worker("w").held.size).toBe(0);
    expect(simulation.worker("w").unacknowledged.size).toBe(0);
    // It may come back even then: it says again what it wants.
    simulation.openLink();
    expect(
      simulation.deliveries
        .map(({ taskId }) => taskId)
        .slice(-2)
        .sort(),
    ).toEqual([first, second].sort());
  });
});
