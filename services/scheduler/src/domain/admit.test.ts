import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { describe, expect, it } from "vitest";
import { AGENT_DESCRIPTION, createSimulation, numberOf, task, type Simulation } from "../../test/simulation.ts";

/** Numbers of the tasks in the order in which they were delivered. */
function order({ deliveries }: Simulation): number[] {
  return deliveries.map(({ taskId }) => numberOf(taskId));
}

/** One slot: ends each task as it comes, so that the order of the deliveries is the order of admission. */
function drainWith(simulation: Simulation, tools: string[], slots = 1): number[] {
  simulation.connect("w", { slots, tools });
  while (simulation.worker("w").held.size > 0) simulation.finish("w", [...simulation.worker("w").held.keys()]);
  return order(simulation);
}

function connected(limits?: Parameters<typeof createSimulation>[0]): Simulation {
  const simulation = createSimulation(limits);
  simulation.openLink();
  return simulation;
}

describe("the order within a queue", () => {
  it("is by priority, and first in first out within one", () => {
    const simulation = connected();
    const priorities = [5, 0, 9, 5, 0, 9];
    simulation.schedule(...priorities.map((priority, number) => task(number, { priority })));
    expect(drainWith(simulation, ["echo"])).toEqual([1, 4, 0, 3, 2, 5]);
  });

  it("gives a task one step of priority for each ageing step that it has waited", () => {
    const simulation = connected({ ageingStepMs: 1_000 });
    simulation.schedule(task(0, { priority: 3 }));
    simulation.pass(1_980);
    simulation.schedule(task(1, { priority: 1 }));
    simulation.pass(100);
    simulation.schedule(task(2, { priority: 1 }));
    expect(drainWith(simulation, ["echo"])).toEqual([1, 0, 2]);
  });

  it("takes a priority above 9 for 9", () => {
    const simulation = connected();
    simulation.schedule(task(0, { priority: 4_000_000_000 }), task(1, { priority: 9 }), task(2, { priority: 8 }));
    expect(drainWith(simulation, ["echo"])).toEqual([2, 0, 1]);
  });
});

describe("between queues", () => {
  it("the same priority takes turns, however long one of the queues is", () => {
    const simulation = connected();
    for (let number = 0; number < 6; number++) simulation.schedule(task(number, { name: "long" }));
    simulation.schedule(task(10, { name: "short" }), task(11, { name: "short" }));
    expect(drainWith(simulation, ["long", "short"])).toEqual([0, 10, 1, 11, 2, 3, 4, 5]);
  });

  it("takes turns within one frame of deliveries too", () => {
    const simulation = connected();
    for (let number = 0; number < 4; number++) simulation.schedule(task(number, { name: "long" }));
    simulation.schedule(task(10, { name: "short" }), task(11, { name: "short" }));
    simulation.connect("w", { slots: 4, tools: ["long", "short"] });
    expect(order(simulation)).toEqual([0, 10, 1, 11]);
  });

  it("the better priority of the first tasks comes first", () => {
    const simulation = connected();
    simulation.schedule(
      task(0, { name: "a", priority: 5 }),
      task(1, { name: "b", priority: 2 }),
      task(2, { name: "b", priority: 6 }),
    );
    expect(drainWith(simulation, ["a", "b"])).toEqual([1, 0, 2]);
  });

  it("a queue that was not served for long gets its turn under a flood of better ones", () => {
    const simulation = connected({ ageingStepMs: 1_000 });
    simulation.schedule(task(999, { name: "patient", priority: 3 }));
    simulation.connect("w", { slots: 1, tools: ["patient", "urgent"] });
    simulation.finish("w", [task(999).taskId]);
    simulation.schedule(task(0, { name: "patient", priority: 3 }));
    simulation.schedule(...Array.from({ length: 100 }, (_, index) => task(index + 1, { name: "urgent", priority: 1 })));
    let served = -1;
    for (let turn = 0; turn < 50 && served < 0; turn++) {
      simulation.pass(100);
      const [held] = simulation.worker("w").held.keys();
      if (held === task(0).taskId) served = turn;
      simulation.finish("w", [held as string]);
    }
    expect(served).toBeLessThan(30);
  });

  it("an old backlog does not outrank what has just come to another", () => {
    const simulation = connected({ ageingStepMs: 1_000 });
    simulation.connect("w", { slots: 1, tools: ["old", "new"] });
    simulation.schedule(...Array.from({ length: 20 }, (_, number) => task(number, { name: "old" })));
    for (let turn = 0; turn < 10; turn++) {
      simulation.pass(500);
      simulation.finish("w", [...simulation.worker("w").held.keys()]);
    }
    simulation.schedule(task(100, { name: "new" }), task(101, { name: "new" }));
    simulation.finish("w", [...simulation.worker("w").held.keys()]);
    simulation.finish("w", [...simulation.worker("w").held.keys()]);
    expect([...simulation.worker("w").held.keys()]).toEqual([task(100).taskId]);
  });

  it("a blocked one holds up no other", () => {
    const simulation = connected();
    simulation.schedule(...Array.from({ length: 1_000 }, (_, number) => task(number, { name: "nobody", priority: 0 })));
    simulation.schedule(task(2_000, { name: "limited", priority: 0 }), task(2_001, { name: "limited", priority: 0 }));
    simulation.schedule(task(3_000, { priority: 9 }), task(3_001, { priority: 9 }));
    simulation.connect("w", { slots: 3, tools: ["echo", ["limited", 1]] });
    expect(order(simulation)).toEqual([2_000, 3_000, 3_001]);
  });
});

describe("the choice of the worker", () => {
  it("is the one with the smallest share of its slots in use", () => {
    const simulation = connected();
    simulation.connect("small", { slots: 2 });
    simulation.connect("large", { slots: 6 });
    simulation.schedule(...Array.from({ length: 4 }, (_, number) => task(number)));
    expect(simulation.worker("small").held.size).toBe(1);
    expect(simulation.worker("large").held.size).toBe(3);
  });

  it("follows what ends", () => {
    const simulation = connected();
    for (const id of ["a", "b", "c"]) simulation.connect(id, { slots: 4 });
    simulation.schedule(...Array.from({ length: 9 }, (_, number) => task(number)));
    for (const id of ["c", "b"]) simulation.finish(id, [...simulation.worker(id).held.keys()]);
    simulation.schedule(...Array.from({ length: 6 }, (_, number) => task(10 + number)));
    expect(["a", "b", "c"].map((id) => simulation.worker(id).held.size)).toEqual([3, 3, 3]);
  });

  it("spreads over workers with other capabilities as well", () => {
    const simulation = connected();
    simulation.connect("a", { slots: 4, tools: ["echo"] });
    simulation.connect("b", { slots: 4, tools: ["echo", "more"] });
    simulation.connect("c", { slots: 4, tools: ["*"] });
    simulation.schedule(...Array.from({ length: 6 }, (_, number) => task(number)));
    expect(["a", "b", "c"].map((id) => simulation.worker(id).held.size)).toEqual([2, 2, 2]);
  });

  it("never gives more than the slots, nor more of one kind than its limit", () => {
    const simulation = connected();
    simulation.connect("a", { slots: 5, tools: [["echo", 2], "other"] });
    simulation.connect("b", { slots: 5, tools: [["echo", 1], "other"] });
    simulation.schedule(...Array.from({ length: 10 }, (_, number) => task(number)));
    expect([simulation.worker("a").held.size, simulation.worker("b").held.size]).toEqual([2, 1]);
    simulation.schedule(...Array.from({ length: 10 }, (_, number) => task(100 + number, { name: "other" })));
    expect([simulation.worker("a").held.size, simulation.worker("b").held.size]).toEqual([5, 5]);
    // A slot that is free again goes to what waits: of the limited kind only if that was what ended.
    simulation.finish("a", [...simulation.worker("a").held.keys()].slice(0, 1));
    expect(simulation.state.counts.running).toBe(10);
    expect(simulation.worker("a").session?.worker.running.toSorted()).toEqual([2, 3]);
  });

  it("looks past the least loaded one when that is at its limit for the kind", () => {
    const simulation = connected();
    const tools: (string | [string, number])[] = [["echo", 1], "other"];
    for (const id of ["a", "b"]) simulation.connect(id, { slots: 4, tools });
    simulation.schedule(task(0));
    const [busy, free] = simulation.worker("a").held.size === 1 ? (["a", "b"] as const) : (["b", "a"] as const);
    simulation.schedule(...Array.from({ length: 3 }, (_, number) => task(10 + number, { name: "other" })));
    simulation.schedule(task(1));
    expect(simulation.worker(busy).held.has(task(1).taskId)).toBe(false);
    expect(simulation.worker(free).held.has(task(1).taskId)).toBe(true);
  });

  it("gives an agent that nobody describes only to who registered its name, however busy that is", () => {
    const simulation = connected();
    simulation.connect("any", { slots: 9, tools: [], agents: ["*"] });
    simulation.connect("exact", { slots: 1, tools: [], agents: ["clerk"] });
    const clerk = { type: TaskType.AGENT, name: "clerk" };
    simulation.schedule(task(0, clerk), task(1, clerk));
    expect(simulation.worker("any").held.size).toBe(0);
    expect([...simulation.worker("exact").held.keys()]).toEqual([task(0).taskId]);
    simulation.finish("exact", [task(0).taskId]);
    expect([...simulation.worker("exact").held.keys()]).toEqual([task(1).taskId]);
  });

  it("gives a described agent to both, past those of its name that must wait", () => {
    const simulation = connected();
    simulation.connect("any", { slots: 2, tools: [], agents: ["*"] });
    simulation.connect("exact", { slots: 2, tools: [], agents: ["clerk"] });
    const clerk = { type: TaskType.AGENT, name: "clerk" };
    simulation.schedule(...[0, 1, 2].map((number) => task(number, { ...clerk, priority: 0 })));
    simulation.schedule(...[3, 4, 5].map((number) => task(number, { ...clerk, agent: AGENT_DESCRIPTION })));
    expect([...simulation.worker("exact").held.keys()].map(numberOf)).toEqual([0, 1]);
    expect([...simulation.worker("any").held.keys()].map(numberOf)).toEqual([3, 4]);
    simulation.finish(
      "exact",
      [0, 1].map((number) => task(number).taskId),
    );
    expect([...simulation.worker("exact").held.keys()].map(numberOf)).toEqual([2, 5]);
  });

  it("keeps namespaces apart", () => {
    const simulation = connected();
    simulation.connect("theirs", { namespace: "theirs" });
    simulation.schedule(task(0), task(1, { namespace: "theirs" }));
    expect([...simulation.worker("theirs").held.keys()]).toEqual([task(1).taskId]);
    simulation.connect("ours", { namespace: "" });
    expect([...simulation.worker("ours").held.keys()]).toEqual([task(0).taskId]);
  });

  it("leaves out workers that drain, and gives what they have nobody else", () => {
    const simulation = connected();
    simulation.connect("w", { slots: 2 });
    simulation.schedule(task(0));
    simulation.drain("w");
    simulation.schedule(task(1));
    expect([...simulation.worker("w").held.keys()]).toEqual([task(0).taskId]);
    simulation.finish("w", [task(0).taskId]);
    expect(simulation.owner.recorded.has(task(0).taskId)).toBe(true);
    expect(simulation.state.counts.waiting).toBe(1);
  });
});

it("does not look at tasks that cannot go anywhere: waiting ones cost a turn nothing", () => {
  const simulation = connected();
  simulation.connect("w", { slots: 1, tools: ["echo"] });
  simulation.schedule(...Array.from({ length: 1_000 }, (_, number) => task(number, { name: `nobody${number % 100}` })));
  simulation.schedule(...Array.from({ length: 1_000 }, (_, number) => task(200_000 + number)));
  const { servable } = simulation.state.namespaces.get("default") as { servable: Set<unknown> };
  // One look for each queue that has tasks and workers, and there is one.
  expect(servable.size).toBe(1);
  expect(simulation.worker("w").held.size).toBe(1);
});
