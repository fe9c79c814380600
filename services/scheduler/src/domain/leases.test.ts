import { describe, expect, it } from "vitest";
import { createSimulation, numberOf, task, type Simulation } from "../../test/simulation.ts";

function connected(limits?: Parameters<typeof createSimulation>[0]): Simulation {
  const simulation = createSimulation(limits);
  simulation.openLink();
  return simulation;
}

function failureOf(simulation: Simulation, number: number): string | undefined {
  return simulation.owner.recorded.get(task(number).taskId)?.failure?.type;
}

function deliveriesOf(simulation: Simulation, number: number): { token: bigint; worker: string }[] {
  return simulation.deliveries.filter(({ taskId }) => taskId === task(number).taskId);
}

describe("a lease", () => {
  it("is kept by heartbeats that name the task", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    for (let round = 0; round < 10; round++) {
      simulation.pass(3_000);
      simulation.heartbeat("w", { only: [task(0).taskId] });
    }
    expect(deliveriesOf(simulation, 0)).toHaveLength(1);
    expect(deliveriesOf(simulation, 1).length).toBeGreaterThan(1);
  });

  it("that ends lets the task be delivered again, with a higher token, before those that came later", () => {
    const simulation = connected();
    simulation.connect("a", { slots: 2 });
    simulation.schedule(task(0), task(1), task(2), task(3));
    simulation.disconnect("a");
    simulation.pass(9_900);
    simulation.connect("b", { slots: 1 });
    expect([...simulation.worker("b").held.keys()].map(numberOf)).toEqual([2]);
    simulation.pass(200);
    for (let turn = 0; turn < 4; turn++) simulation.finish("b", [...simulation.worker("b").held.keys()]);
    expect(simulation.worker("b").delivered.map(({ taskId }) => numberOf(taskId))).toEqual([2, 0, 1, 3]);
    const [first, second] = deliveriesOf(simulation, 0);
    expect(second?.token).toBeGreaterThan(first?.token as bigint);
    expect(simulation.state.counters.redelivered).toBe(2);
    expect(failureOf(simulation, 0)).toBeUndefined();
  });

  it("that ends five times fails the task with worker_lost", () => {
    const simulation = connected();
    simulation.schedule(task(0));
    for (const id of ["a", "b", "c", "d", "e"]) {
      expect(failureOf(simulation, 0)).toBeUndefined();
      simulation.connect(id);
      simulation.disconnect(id);
      simulation.pass(10_100);
    }
    expect(failureOf(simulation, 0)).toBe("worker_lost");
    expect(simulation.state.counters.lost).toBe(1);
  });

  it("that ends at a worker which is there tells it to stop", () => {
    const simulation = connected();
    simulation.connect("w", { slots: 1 });
    simulation.schedule(task(0));
    simulation.drain("w");
    for (let round = 0; round < 4; round++) {
      simulation.pass(3_000);
      simulation.heartbeat("w", { only: [] });
    }
    expect(simulation.worker("w").held.size).toBe(0);
    expect(simulation.state.counts).toMatchObject({ waiting: 1, running: 0 });
  });

  it("of a task that was never sent to a worker which is gone is given to another at once, in the old order", () => {
    const simulation = connected();
    simulation.connect("a", { slots: 2 });
    simulation.withoutReading("a", () => simulation.schedule(task(0), task(1), task(2)));
    expect(simulation.state.counts).toMatchObject({ waiting: 1, running: 2 });
    simulation.disconnect("a");
    simulation.connect("b", { slots: 3 });
    expect([...simulation.worker("b").held.keys()].map(numberOf)).toEqual([0, 1, 2]);
  });

  it("ends the stream of a worker that hangs, so that it gets no further task", () => {
    const simulation = connected();
    simulation.connect("hung");
    simulation.schedule(task(0));
    simulation.pass(10_100);
    expect(simulation.worker("hung").session).toBeUndefined();
    expect(deliveriesOf(simulation, 0)).toHaveLength(1);
    simulation.connect("other");
    expect(deliveriesOf(simulation, 0).map(({ worker }) => worker)).toEqual(["hung", "other"]);
  });

  it("does not end while the scheduler itself stood still, before heartbeats could be read", () => {
    const simulation = connected({ timerResolutionMs: 100 });
    simulation.connect("w");
    simulation.schedule(task(0, { heartbeatTimeoutMs: 5_000n }));
    simulation.pass(200);
    // As after SIGSTOP: one tick, long after the one before.
    simulation.stall(60_000);
    expect(simulation.state.counts.running).toBe(1);
    simulation.heartbeat("w", { fromHandler: true });
    simulation.pass(4_000);
    expect(simulation.state.counts.running).toBe(1);
    expect(deliveriesOf(simulation, 0)).toHaveLength(1);
  });
});

describe("time-outs", () => {
  it("end a task that does not finish, stop it at the worker, and refuse what comes later", () => {
    const simulation = connected();
    simulation.connect("w", { slots: 1 });
    simulation.schedule(task(0, { timeoutMs: 2_000n }), task(1));
    const { token } = simulation.deliveries[0] as { token: bigint };
    simulation.pass(1_980);
    expect(failureOf(simulation, 0)).toBeUndefined();
    simulation.pass(40);
    expect(failureOf(simulation, 0)).toBe("timeout");
    expect(simulation.owner.recorded.get(task(0).taskId)).toMatchObject({ fencingToken: 0n, worker: "w" });
    // Its slot is free at once.
    expect([...simulation.worker("w").held.keys()]).toEqual([task(1).taskId]);
    simulation.worker("w").held.set(task(0).taskId, token);
    simulation.finish("w", [task(0).taskId]);
    expect(simulation.worker("w").refusals).toEqual([task(0).taskId]);
    expect(simulation.state.counters.refused).toBe(1);
  });

  it("count from each delivery", () => {
    const simulation = connected();
    simulation.connect("a");
    simulation.schedule(task(0, { timeoutMs: 12_000n }));
    simulation.disconnect("a");
    simulation.pass(10_100);
    simulation.connect("b");
    for (let round = 0; round < 3; round++) {
      simulation.pass(3_900);
      simulation.heartbeat("b");
    }
    expect(failureOf(simulation, 0)).toBeUndefined();
    simulation.pass(400);
    expect(failureOf(simulation, 0)).toBe("timeout");
  });

  it("of heartbeats count only those of the handler", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0, { heartbeatTimeoutMs: 3_000n }), task(1, { heartbeatTimeoutMs: 3_000n }));
    for (let round = 0; round < 4; round++) {
      simulation.pass(1_000);
      simulation.heartbeat("w", { only: [task(0).taskId], fromHandler: true });
      simulation.heartbeat("w", { only: [task(1).taskId] });
    }
    expect(failureOf(simulation, 1)).toBe("heartbeat_timeout");
    expect(failureOf(simulation, 0)).toBeUndefined();
    expect(simulation.state.counts.running).toBe(1);
  });

  it("of progress count only reports of it", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0, { progressTimeoutMs: 3_000n }), task(1, { progressTimeoutMs: 3_000n }));
    for (let round = 0; round < 4; round++) {
      simulation.pass(1_000);
      simulation.heartbeat("w", { only: [task(0).taskId], fromHandler: true, progress: true });
      simulation.heartbeat("w", { only: [task(1).taskId], fromHandler: true });
    }
    expect(failureOf(simulation, 1)).toBe("progress_timeout");
    expect(failureOf(simulation, 0)).toBeUndefined();
  });

  it("of the queue end a task that nobody takes, and no other", () => {
    const simulation = connected();
    const limited = { queueTimeoutMs: 2_000n };
    simulation.connect("w", { slots: 1 });
    simulation.schedule(task(0, limited), task(1, limited), task(2));
    simulation.pass(1_980);
    expect(failureOf(simulation, 1)).toBeUndefined();
    simulation.pass(40);
    expect(failureOf(simulation, 0)).toBeUndefined();
    expect(failureOf(simulation, 1)).toBe("queue_timeout");
    expect(failureOf(simulation, 2)).toBeUndefined();
    expect(simulation.owner.recorded.get(task(1).taskId)).toMatchObject({ fencingToken: 0n, worker: "" });
    expect(simulation.state.queueTimers.size).toBe(0);
  });

  it("of the queue count anew when a worker was lost", () => {
    const simulation = connected();
    simulation.connect("a", { slots: 1 });
    simulation.schedule(task(0, { queueTimeoutMs: 2_000n }));
    simulation.disconnect("a");
    simulation.pass(11_900);
    expect(failureOf(simulation, 0)).toBeUndefined();
    simulation.pass(200);
    expect(failureOf(simulation, 0)).toBe("queue_timeout");
  });

  it("of the queue survive a restart: the time before it counts, and a task that a worker holds goes on", () => {
    const simulation = connected({ recoveryWindowMs: 500 });
    simulation.connect("w", { slots: 1 });
    const scheduledAtMs = BigInt(simulation.nowMs);
    simulation.schedule(
      { ...task(0, { queueTimeoutMs: 5_000n }), scheduledAtMs },
      { ...task(1, { queueTimeoutMs: 5_000n }), scheduledAtMs },
    );
    simulation.pass(4_000);
    simulation.restart();
    simulation.connect("w", { slots: 1 });
    simulation.openLink();
    simulation.pass(900);
    expect(failureOf(simulation, 1)).toBeUndefined();
    simulation.pass(200);
    expect(failureOf(simulation, 1)).toBe("queue_timeout");
    expect(failureOf(simulation, 0)).toBeUndefined();
  });

  it("survive a restart: an adopted task is not given its whole time again", () => {
    const simulation = connected({ recoveryWindowMs: 1_000 });
    simulation.connect("w");
    simulation.schedule(task(0, { timeoutMs: 5_000n }));
    simulation.pass(4_000);
    simulation.restart();
    simulation.connect("w", { startedAtMs: simulation.nowMs - 4_000 });
    simulation.openLink();
    simulation.pass(1_100);
    expect(failureOf(simulation, 0)).toBe("timeout");
  });
});

describe("progress", () => {
  it("is told once, of tasks that run for a while", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0), task(1));
    simulation.finish("w", [task(1).taskId]);
    simulation.pass(90);
    expect(simulation.owner.progress).toEqual([]);
    simulation.pass(1_000);
    expect(simulation.owner.progress).toEqual([task(0).taskId]);
  });
});
