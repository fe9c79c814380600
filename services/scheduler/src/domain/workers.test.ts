import { describe, expect, it } from "vitest";
import { createSimulation, task, type Simulation } from "../../test/simulation.ts";

function connected(limits?: Parameters<typeof createSimulation>[0]): Simulation {
  const simulation = createSimulation(limits);
  simulation.openLink();
  return simulation;
}

const [first, second] = [task(0).taskId, task(1).taskId];

describe("a worker that comes back", () => {
  it("keeps what it holds, with the same tokens", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    simulation.disconnect("w");
    simulation.pass(5_000);
    expect(simulation.connect("w")).toEqual([]);
    simulation.pass(9_000);
    simulation.finish("w", [first, second]);
    expect([...simulation.owner.recorded.keys()]).toEqual([first, second]);
    expect(simulation.deliveries).toHaveLength(2);
    expect(simulation.state.counters.refused).toBe(0);
  });

  it("takes up again what waits, when its lease had ended but nobody else got the task", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    simulation.disconnect("w");
    simulation.pass(10_100);
    expect(simulation.state.counts.waiting).toBe(1);
    expect(simulation.connect("w")).toEqual([]);
    simulation.finish("w", [first]);
    expect(simulation.owner.recorded.has(first)).toBe(true);
    expect(simulation.deliveries).toHaveLength(1);
    expect(simulation.owner.recorded.get(first)?.failure).toBeUndefined();
  });

  it("is told to drop what another one has, and its result is refused", () => {
    const simulation = connected();
    simulation.connect("zombie");
    simulation.schedule(task(0));
    simulation.disconnect("zombie");
    simulation.pass(10_100);
    simulation.connect("other");
    const token = simulation.worker("zombie").held.get(first) as bigint;
    expect(simulation.connect("zombie")).toEqual([first]);
    simulation.worker("zombie").held.set(first, token);
    simulation.finish("zombie", [first]);
    expect(simulation.worker("zombie").refusals).toEqual([first]);
    expect(simulation.worker("zombie").acknowledgedFrame).toBe(1n);
    expect(simulation.owner.recorded.size).toBe(0);
    simulation.finish("other", [first]);
    expect(simulation.owner.recorded.get(first)?.worker).toBe("other");
    expect(simulation.state.counters).toMatchObject({ refused: 1, completed: 1, redelivered: 1 });
  });

  it("has a moment to repeat results of what it does not hold any longer; then that is delivered again", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    simulation.disconnect("w");
    simulation.finish("w", [first]);
    simulation.worker("w").held.delete(second);
    simulation.connect("w");
    expect(simulation.owner.recorded.has(first)).toBe(true);
    expect(simulation.deliveries).toHaveLength(2);
    simulation.pass(1_100);
    expect(simulation.deliveries.map(({ taskId }) => taskId)).toEqual([first, second, second]);
  });

  it("repeats a frame without harm: what was accepted is not refused and not counted twice", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    simulation.finish("w", [first]);
    simulation.disconnect("w");
    simulation.connect("w");
    expect(simulation.worker("w").refusals).toEqual([]);
    expect(simulation.state.counters.completed).toBe(1);
    simulation.acknowledge();
    expect(simulation.worker("w").unacknowledged.size).toBe(0);
    expect(simulation.state.namespaces.get("default")?.workers.get("w")?.frames).toEqual([]);
  });

  it("closes its older stream, and only the new one speaks for it", () => {
    const simulation = connected();
    simulation.connect("w");
    const older = simulation.worker("w").session?.outbox;
    simulation.schedule(task(0));
    simulation.connect("w", { slots: 7 });
    expect(older?.closed?.reason).toBe("REPLACED_BY_NEW_STREAM");
    simulation.pass(500);
    expect(simulation.state.counts.running).toBe(1);
    expect(simulation.worker("w").session?.worker.slots).toBe(7);
  });
});

describe("a worker", () => {
  it("is forgotten when it is gone and everything of it has ended", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    simulation.finish("w", [first]);
    simulation.disconnect("w");
    const { workers } = simulation.state.namespaces.get("default") as { workers: Map<string, unknown> };
    expect(workers.has("w")).toBe(true);
    simulation.pass(10_100);
    expect(workers.has("w")).toBe(true);
    simulation.acknowledge();
    expect(workers.has("w")).toBe(false);
  });

  it("may be one too many", () => {
    const simulation = connected({ workersPerNamespaceMax: 2 });
    simulation.connect("a");
    simulation.connect("b");
    expect(() => simulation.connect("c")).toThrow("namespace default has 2 workers, the limit is 2");
    simulation.connect("c", { namespace: "other" });
    simulation.connect("b");
  });

  it("that heartbeats for what it does not have is told to stop it", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    simulation.cancel(first);
    expect(simulation.worker("w").held.size).toBe(0);
    simulation.worker("w").held.set(first, 12n);
    simulation.heartbeat("w");
    expect(simulation.worker("w").held.size).toBe(0);
  });

  it("cannot hold what the same delivery gave to another", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    simulation.worker("thief").held.set(first, simulation.worker("w").held.get(first) as bigint);
    expect(simulation.connect("thief")).toEqual([first]);
    simulation.finish("w", [first]);
    expect(simulation.owner.recorded.get(first)?.worker).toBe("w");
  });

  it("cannot end a task with a token that was given to another, or that nobody was given", () => {
    const simulation = connected();
    simulation.connect("a");
    simulation.schedule(task(0));
    simulation.connect("thief", { tools: ["other"] });
    const token = simulation.worker("a").held.get(first) as bigint;
    for (const guess of [token, token + 1n, 1n]) {
      simulation.worker("thief").held.set(first, guess);
      simulation.finish("thief", [first]);
    }
    expect(simulation.worker("thief").refusals).toHaveLength(3);
    expect(simulation.owner.recorded.size).toBe(0);
    simulation.finish("a", [first]);
    expect(simulation.owner.recorded.size).toBe(1);
  });
});

describe("after a restart of the scheduler", () => {
  it("workers keep what they hold: before the owner has synced, and after", () => {
    const simulation = connected({ recoveryWindowMs: 1_000 });
    simulation.connect("early", { slots: 1 });
    simulation.connect("late", { slots: 1 });
    simulation.schedule(task(0), task(1));
    simulation.restart();
    simulation.connect("early", { slots: 1 });
    expect(simulation.state.counts).toMatchObject({ running: 1, unconfirmed: 1 });
    simulation.openLink();
    expect(simulation.state.counts).toMatchObject({ running: 1, unconfirmed: 0 });
    simulation.pass(500);
    simulation.connect("late", { slots: 1 });
    simulation.pass(2_000);
    expect(simulation.deliveries).toHaveLength(2);
    for (const id of ["early", "late"]) simulation.finish(id, [first, second]);
    expect(simulation.owner.recorded.size).toBe(2);
  });

  it("what nobody holds is delivered when the recovery window is over, in the order in which it was scheduled", () => {
    const simulation = connected({ recoveryWindowMs: 1_000 });
    simulation.schedule(task(70), task(5), task(3));
    simulation.restart();
    simulation.openLink();
    simulation.connect("w");
    simulation.pass(900);
    expect(simulation.deliveries).toEqual([]);
    simulation.schedule(task(99));
    expect(simulation.deliveries.map(({ taskId }) => taskId)).toEqual([task(99).taskId]);
    simulation.pass(200);
    expect(simulation.deliveries.slice(1).map(({ taskId }) => taskId)).toEqual(
      [3, 5, 70].map((each) => task(each).taskId),
    );
  });

  it("results wait for the owner to say what it wants", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    simulation.closeLink();
    simulation.cancel(second);
    simulation.restart();
    simulation.finish("w", [first, second]);
    simulation.connect("w");
    expect(simulation.state.counts).toMatchObject({ finished: 2, unconfirmed: 2 });
    expect(simulation.worker("w").refusals).toEqual([]);
    simulation.openLink();
    expect([...simulation.owner.recorded.keys()]).toEqual([first]);
    expect(simulation.worker("w").refusals).toEqual([second]);
    simulation.acknowledge();
    expect(simulation.worker("w").unacknowledged.size).toBe(0);
    expect(simulation.state.counts.tasks).toBe(0);
  });

  it("only so many results wait; then the stream ends, and the worker repeats them later", () => {
    const simulation = connected({ unconfirmedTasksMax: 1 });
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    simulation.restart();
    simulation.finish("w", [first, second]);
    expect(() => simulation.connect("w")).toThrow("results wait for owners");
    simulation.disconnect("w");
    simulation.openLink();
    simulation.connect("w");
    expect(simulation.owner.recorded.size).toBe(2);
  });

  it("of two workers that hold a task the one with the latest delivery keeps it", () => {
    const simulation = connected({ recoveryWindowMs: 1_000 });
    simulation.connect("older");
    simulation.schedule(task(0));
    simulation.disconnect("older");
    simulation.pass(10_100);
    simulation.connect("newer");
    simulation.restart();
    simulation.connect("older");
    simulation.openLink();
    expect(simulation.connect("newer")).toEqual([]);
    expect(simulation.worker("older").held.size).toBe(0);
    simulation.finish("newer", [first]);
    expect(simulation.owner.recorded.get(first)?.worker).toBe("newer");
  });

  it("a worker that comes with an older delivery is told to drop it", () => {
    const simulation = connected({ recoveryWindowMs: 1_000 });
    simulation.connect("older");
    simulation.schedule(task(0));
    simulation.disconnect("older");
    simulation.pass(10_100);
    simulation.connect("newer");
    simulation.restart();
    simulation.connect("newer");
    expect(simulation.connect("older")).toEqual([first]);
    simulation.openLink();
    expect(simulation.worker("newer").held.size).toBe(1);
  });

  it("a result of the latest delivery counts, also when an older one was taken up", () => {
    const simulation = connected({ recoveryWindowMs: 1_000 });
    simulation.connect("older");
    simulation.schedule(task(0));
    simulation.disconnect("older");
    simulation.pass(10_100);
    simulation.connect("newer");
    simulation.restart();
    simulation.connect("older");
    simulation.openLink();
    simulation.finish("newer", [first]);
    simulation.connect("newer");
    expect(simulation.owner.recorded.get(first)?.worker).toBe("newer");
    expect(simulation.worker("older").held.size).toBe(0);
  });

  it("tokens of this start that were never given out count for nothing", () => {
    const simulation = connected({ recoveryWindowMs: 1_000 });
    simulation.schedule(task(0));
    simulation.restart();
    simulation.worker("w").held.set(first, simulation.state.tokens.latest + 5n);
    expect(simulation.connect("w")).toEqual([first]);
  });

  it("a task of another namespace cannot be ended by guessing its token", () => {
    const simulation = connected({ recoveryWindowMs: 1_000 });
    simulation.schedule(task(0));
    simulation.restart();
    simulation.openLink();
    simulation.connect("stranger", { namespace: "other" });
    simulation.worker("stranger").held.set(first, simulation.state.tokens.inherited);
    simulation.finish("stranger", [first]);
    expect(simulation.worker("stranger").refusals).toEqual([first]);
    expect(simulation.owner.recorded.size).toBe(0);
  });

  it("a task of another namespace cannot be taken by naming it", () => {
    const simulation = connected({ recoveryWindowMs: 1_000 });
    simulation.connect("owner");
    simulation.schedule(task(0));
    simulation.restart();
    simulation.worker("stranger").held.set(first, simulation.state.tokens.inherited);
    simulation.connect("stranger", { namespace: "other" });
    simulation.openLink();
    expect(simulation.worker("stranger").held.size).toBe(0);
    expect(simulation.state.counts).toMatchObject({ running: 0, waiting: 1 });
  });
});
