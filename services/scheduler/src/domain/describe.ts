import type { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { Namespace, TaskQueue, WorkerPool } from "./model.ts";
import { queueKey } from "./queue.ts";
import { ANY_NAME, findCapability, hasFreeSlot } from "./worker-pool.ts";

export interface QueueDescription {
  type: TaskType;
  name: string;
  waiting: number;
  running: number;
  freeSlots: number;
  workers: number;
  oldestScheduledAtMs: number | undefined;
}

/** One description for each tool or agent that has tasks or is offered by name, by type and name. */
export function describeQueues(namespace: Namespace, filter: { type: TaskType | 0; name: string }): QueueDescription[] {
  const kinds = new Map<string, { type: TaskType; name: string }>();
  for (const { type, name, waiting, running } of namespace.queues.values()) {
    if (waiting + running > 0) kinds.set(queueKey(type, name), { type, name });
  }
  for (const { capabilities } of namespace.pools.values()) {
    for (const { type, name } of capabilities) if (name !== ANY_NAME) kinds.set(queueKey(type, name), { type, name });
  }
  return [...kinds.values()]
    .filter(
      ({ type, name }) => (filter.type === 0 || type === filter.type) && (filter.name === "" || name === filter.name),
    )
    .sort((a, b) => a.type - b.type || (a.name < b.name ? -1 : 1))
    .map((kind) => describe(namespace, kind));
}

function describe(namespace: Namespace, { type, name }: { type: TaskType; name: string }): QueueDescription {
  const queue = namespace.queues.get(queueKey(type, name));
  let freeSlots = 0;
  let workers = 0;
  for (const pool of namespace.pools.values()) {
    const capability = findCapability(pool, type, name);
    if (capability < 0) continue;
    workers += pool.workers.length;
    freeSlots += countFreeSlots(pool, capability);
  }
  return {
    type,
    name,
    waiting: queue?.waiting ?? 0,
    running: queue?.running ?? 0,
    freeSlots,
    workers,
    oldestScheduledAtMs: queue === undefined ? undefined : findOldest(queue),
  };
}

function countFreeSlots(pool: WorkerPool, capability: number): number {
  const max = pool.capabilities[capability]?.maxConcurrent ?? 0;
  let free = 0;
  for (const worker of pool.workers) {
    if (!hasFreeSlot(worker)) continue;
    const slots = worker.slots - worker.leases.size;
    free += max === 0 ? slots : Math.max(0, Math.min(slots, max - (worker.running[capability] ?? 0)));
  }
  return free;
}

/** The first of each lane is the oldest of its lane. */
function findOldest(queue: TaskQueue): number | undefined {
  let oldest: number | undefined;
  for (const { head } of queue.lanes) {
    if (head?.task === undefined) continue;
    const scheduledAtMs = Number(head.task.scheduledAtMs);
    if (oldest === undefined || scheduledAtMs < oldest) oldest = scheduledAtMs;
  }
  return oldest;
}
