import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { checkState } from "../../test/check-state.ts";
import { AGENT_DESCRIPTION, createSimulation, type Offered, task, type Simulation } from "../../test/simulation.ts";

/* Random lives of a scheduler. After each step everything must fit together, and in the end every wanted task has ended. */

const WORKERS = ["a", "b", "c"] as const;
const TASKS = [
  { name: "echo" },
  { name: "fetch" },
  { name: "slow" },
  { type: TaskType.AGENT, name: "clerk" },
  { type: TaskType.AGENT, name: "clerk", agent: AGENT_DESCRIPTION },
];
/** The same worker always offers the same: `b` limits one of its tools, and is the only one that knows the agent by name. */
const OFFERS: Record<string, Offered & { slots: number }> = {
  a: { slots: 2, tools: ["echo", "fetch"], agents: ["*"] },
  b: { slots: 3, tools: ["echo", ["slow", 1]], agents: ["clerk"] },
  c: { slots: 1, tools: ["*"], agents: ["*"] },
};
/** Offers everything. */
const LAST = { slots: 5, tools: ["*"], agents: ["*", "clerk"] };

type Step =
  | { do: "schedule"; what: number; priority: number; timeout: boolean }
  | { do: "connect" | "disconnect" | "drain" | "heartbeat" | "die"; worker: string }
  | { do: "finish"; worker: string; which: number; twice: boolean }
  | { do: "zombie"; worker: string; which: number }
  | { do: "cancel"; which: number }
  | { do: "acknowledge" | "openLink" | "closeLink" | "restart" }
  | { do: "pass"; ms: number };

const worker = fc.constantFrom(...WORKERS);
const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("schedule" as const),
      what: fc.nat(TASKS.length - 1),
      priority: fc.nat(9),
      timeout: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("connect" as const), worker }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("finish" as const), worker, which, twice: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("zombie" as const), worker, which }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("disconnect" as const, "drain" as const, "die" as const), worker }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("heartbeat" as const), worker }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cancel" as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("acknowledge" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("openLink" as const, "closeLink" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(20, 200, 1_000, 5_000, 11_000) }),
  },
);

function run(simulation: Simulation, steps: Step[]): void {
  let next = 0;
  const seen = { deliveries: 0, tokens: new Map<string, bigint>() };
  for (const each of steps) {
    perform(simulation, each, () => next++);
    checkState(simulation.state);
    checkDeliveries(simulation, seen);
    checkRunners(simulation);
    checkNothingLost(simulation);
    checkResults(simulation, seen.tokens);
  }
}

function perform(simulation: Simulation, step: Step, nextNumber: () => number): void {
  const { owner } = simulation;
  switch (step.do) {
    case "schedule":
      return simulation.schedule(
        task(nextNumber(), {
          ...TASKS[step.what],
          priority: step.priority,
          timeoutMs: step.timeout ? 3_000n : 0n,
          ...(step.priority === 0 && { queueTimeoutMs: 2_000n }),
        }),
      );
    case "connect":
      simulation.connect(step.worker, OFFERS[step.worker]);
      return;
    case "disconnect":
      return simulation.disconnect(step.worker);
    case "drain":
      return simulation.drain(step.worker);
    case "heartbeat":
      return simulation.heartbeat(step.worker);
    case "die": {
      // Another process with another id takes its place later; this one says nothing any more.
      simulation.disconnect(step.worker);
      simulation.worker(step.worker).held.clear();
      return;
    }
    case "finish": {
      const held = [...simulation.worker(step.worker).held.keys()];
      const taskId = held[step.which % Math.max(1, held.length)];
      if (taskId === undefined) return;
      const token = simulation.worker(step.worker).held.get(taskId) as bigint;
      simulation.finish(step.worker, [taskId]);
      if (!step.twice) return;
      simulation.worker(step.worker).held.set(taskId, token);
      return simulation.finish(step.worker, [taskId]);
    }
    case "zombie": {
      // A delivery of long ago is answered after all.
      const { delivered, held } = simulation.worker(step.worker);
      const old = delivered[step.which % Math.max(1, delivered.length)];
      if (old === undefined || held.has(old.taskId)) return;
      held.set(old.taskId, old.token);
      return simulation.finish(step.worker, [old.taskId]);
    }
    case "cancel": {
      const taskId = [...owner.wanted.keys()][step.which % Math.max(1, owner.wanted.size)];
      return taskId === undefined ? undefined : simulation.cancel(taskId);
    }
    case "acknowledge":
      return simulation.acknowledge();
    case "openLink":
      return simulation.openLink();
    case "closeLink":
      return simulation.closeLink();
    case "restart":
      return simulation.restart();
    case "pass":
      return simulation.pass(step.ms);
  }
}

/** Tokens of a task only grow, over workers and restarts; nobody gets more than its slots or its limit. */
function checkDeliveries(
  { deliveries, workers }: Simulation,
  seen: { deliveries: number; tokens: Map<string, bigint> },
): void {
  for (; seen.deliveries < deliveries.length; seen.deliveries++) {
    const { taskId, token, worker: id } = deliveries[seen.deliveries] as (typeof deliveries)[number];
    expect(token, `token of ${taskId}`).toBeGreaterThan(seen.tokens.get(taskId) ?? 0n);
    seen.tokens.set(taskId, token);
    // Only a delivery must respect them: a worker that comes back with more keeps it.
    const worker = workers.get(id)?.session?.worker;
    if (worker === undefined) continue;
    expect(worker.leases.size, `tasks of ${id}`).toBeLessThanOrEqual(worker.slots);
    for (const [index, { maxConcurrent }] of (worker.pool?.capabilities ?? []).entries()) {
      if (maxConcurrent > 0) expect(worker.running[index]).toBeLessThanOrEqual(maxConcurrent);
    }
  }
}

/** Whoever runs an agent has its description from the task, or knows its name; and nobody runs a tool that it lacks. */
function checkRunners({ state }: Simulation): void {
  for (const { tasks } of state.partitions) {
    for (const { id, task: of, lease } of tasks.values()) {
      if (of === undefined || lease === undefined) continue;
      const { tools = [], agents = [] } = OFFERS[lease.worker.id] as Offered;
      const names = (of.type === TaskType.AGENT ? agents : tools).map((each) =>
        typeof each === "string" ? each : each[0],
      );
      const covered = names.includes(of.name) || (names.includes("*") && (of.type === TaskType.TOOL || !!of.agent));
      expect(covered, `${lease.worker.id} can run ${of.name} of ${id}`).toBe(true);
    }
  }
}

/** While the owner is connected the scheduler knows each task that it wants, and none that it does not. */
function checkNothingLost({ owner, state }: Simulation): void {
  // Each attempt has one accepted result; it comes again only as long as it was not recorded.
  expect(owner.unwanted).toBe(0);
  if (owner.link === undefined) return;
  const known = new Set<string>();
  for (const { tasks } of state.partitions) {
    for (const entry of tasks.values()) if (entry.task !== undefined) known.add(entry.id);
  }
  for (const taskId of owner.wanted.keys()) expect(known.has(taskId), `${taskId} is known`).toBe(true);
  for (const taskId of known) {
    // What was recorded is known until it is acknowledged.
    expect(owner.wanted.has(taskId) || owner.recorded.has(taskId), `${taskId} is wanted`).toBe(true);
  }
}

/** Only the latest delivery counts, and a worker forgets only what is durable or refused. */
function checkResults({ owner, acknowledged, restarts }: Simulation, tokens: Map<string, bigint>): void {
  for (const { taskId, worker } of acknowledged) {
    const settled = owner.settled.has(taskId) || worker.refusals.includes(taskId);
    expect(settled, `${taskId} is settled, its worker has forgotten it`).toBe(true);
  }
  // After a restart the scheduler cannot know which of the older deliveries was the latest.
  if (restarts > 0) return;
  for (const { taskId, fencingToken } of owner.recorded.values()) {
    if (fencingToken > 0n) expect(fencingToken).toBe(tokens.get(taskId));
  }
}

/** With a healthy worker for everything, and an owner that acknowledges, all comes to its end. */
function runToTheEnd(simulation: Simulation): void {
  const wanted = [...simulation.owner.wanted.keys()];
  for (const id of WORKERS) simulation.disconnect(id);
  simulation.openLink();
  simulation.connect("last", LAST);
  for (let round = 0; simulation.owner.wanted.size > 0; round++) {
    if (round > 200) throw new Error(`${simulation.owner.wanted.size} tasks do not end`);
    simulation.finish("last", [...simulation.worker("last").held.keys()]);
    simulation.acknowledge();
    simulation.pass(1_000);
  }
  for (const taskId of wanted) expect(simulation.owner.recorded.has(taskId)).toBe(true);
  simulation.acknowledge();
  expect(simulation.state.counts).toEqual({ waiting: 0, running: 0, finished: 0, unconfirmed: 0, tasks: 0 });
}

it("keeps slots, leases, tokens and tasks whatever happens, and ends every task", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const simulation = createSimulation({ recoveryWindowMs: 300 });
      simulation.openLink();
      run(simulation, steps);
      runToTheEnd(simulation);
      checkState(simulation.state);
    }),
    { numRuns: 400, verbose: 1 },
  );
});
