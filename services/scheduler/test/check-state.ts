import type { TaskEntry, TaskQueue, Worker, WorkerPool } from "../src/domain/model.ts";
import { listEntries, queueKey } from "../src/domain/queue.ts";
import type { SchedulerState } from "../src/domain/state.ts";
import { kindOf } from "../src/domain/task-kind.ts";
import { isLessLoaded } from "../src/domain/worker-pool.ts";

/** Everything that must hold between two commands. Throws with what does not. */
export function checkState(state: SchedulerState): void {
  const seen = { waiting: 0, running: 0, finished: 0, unconfirmed: 0, tasks: 0 };
  const waitingIn = new Map<TaskQueue, Set<TaskEntry>>();
  for (const partition of state.partitions) {
    for (const [id, entry] of partition.tasks) {
      seen.tasks += 1;
      if (entry.task === undefined) seen.unconfirmed += 1;
      if (entry.state !== "recovering") seen[entry.state] += 1;
      expectTrue(entry.id === id && entry.partition === partition, `${id} is filed under its id`);
      expectTrue((entry.state === "running") === (entry.lease !== undefined), `${id} has a lease if it runs`);
      expectTrue((entry.state === "finished") === (entry.result !== undefined), `${id} has a result if it is finished`);
      if (entry.lease !== undefined) expectTrue(entry.lease.worker.leases.has(entry.lease), `${id} is with its worker`);
      if (entry.state === "waiting") waitingSet(waitingIn, entry.queue as TaskQueue).add(entry);
      if (entry.state === "recovering")
        expectTrue(state.recovering.includes(entry), `${id} is among those that recover`);
    }
  }
  expectSame(state.counts, seen, "counts");
  expectTrue(state.timers.size === seen.running, "each lease has a timer, and nothing else");
  for (const namespace of state.namespaces.values()) {
    for (const queue of namespace.queues.values()) checkQueue(queue, waitingIn.get(queue) ?? new Set());
    for (const pool of namespace.pools.values()) checkPool(pool);
    for (const worker of namespace.workers.values()) checkWorker(state, worker);
  }
}

function checkQueue(queue: TaskQueue, expected: Set<TaskEntry>): void {
  const listed = [...listEntries(queue)];
  expectTrue(listed.length === queue.waiting, `${queue.name} counts what waits`);
  expectTrue(
    listed.length === expected.size && listed.every((entry) => expected.has(entry)),
    `${queue.name} lists its own`,
  );
  for (const entry of listed) {
    expectTrue(
      entry.task !== undefined && queueKey(kindOf(entry.task)) === queueKey(queue),
      `${entry.id} waits among its kind`,
    );
  }
  for (const [index, lane] of queue.lanes.entries()) {
    expectTrue(
      (lane.head !== undefined) === ((queue.occupied & (1 << index)) !== 0),
      `${queue.name} marks lane ${index}`,
    );
  }
  const servable = queue.waiting > 0 && queue.offers.length > 0;
  expectTrue(queue.namespace.servable.has(queue) === servable, `${queue.name} is servable if it can be`);
  expectTrue(queue.running >= 0, `${queue.name} runs no fewer than none`);
}

function checkPool(pool: WorkerPool): void {
  for (const [index, worker] of pool.workers.entries()) {
    expectTrue(worker.heapIndex === index && worker.pool === pool, `${worker.id} knows its place`);
    const parent = pool.workers[(index - 1) >> 1];
    if (index > 0 && parent !== undefined)
      expectTrue(!isLessLoaded(worker, parent), `${worker.id} is not above its parent`);
  }
  for (const [index, { maxConcurrent, open }] of pool.capabilities.entries()) {
    const below = pool.workers.filter((worker) => (worker.running[index] as number) < maxConcurrent).length;
    expectTrue(open === below, `capability ${index} counts the workers that have room`);
  }
}

function checkWorker(state: SchedulerState, worker: Worker): void {
  expectTrue(worker.heapIndex >= 0 === (worker.status === "connected"), `${worker.id} takes tasks if it is connected`);
  const running = worker.running.map(() => 0);
  for (const lease of worker.leases) {
    expectTrue(lease.entry.lease === lease, `${worker.id} has the lease of ${lease.entry.id}`);
    if (lease.capability >= 0) running[lease.capability] = (running[lease.capability] as number) + 1;
  }
  expectSame(worker.running, running, `${worker.id} counts by capability`);
  const open = worker.frames.map(() => 0);
  for (const partition of state.partitions) {
    for (const { resultFrame } of partition.tasks.values()) {
      const index = resultFrame === undefined ? -1 : worker.frames.indexOf(resultFrame);
      if (index >= 0) open[index] = (open[index] as number) + 1;
    }
  }
  expectSame(
    worker.frames.map((frame) => frame.open),
    open,
    `${worker.id} counts what is open in its frames`,
  );
  for (const [index, { number }] of worker.frames.entries()) {
    const before = worker.frames[index - 1];
    if (before !== undefined) expectTrue(before.number < number, `${worker.id} keeps its frames in order`);
  }
}

function waitingSet(sets: Map<TaskQueue, Set<TaskEntry>>, queue: TaskQueue): Set<TaskEntry> {
  const known = sets.get(queue) ?? new Set();
  sets.set(queue, known);
  return known;
}

function expectTrue(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

function expectSame(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`);
}
