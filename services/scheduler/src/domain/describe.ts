import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { Namespace, TaskQueue, WorkerPool } from "./model.ts";
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

interface Subject {
  type: TaskType;
  name: string;
  /** Those of its queues that have tasks: at most one for described tasks and one for the others. */
  queues: TaskQueue[];
}

/**
 * One description for each tool or agent that has tasks or is offered by name, by type and name. Whether tasks describe
 * their agent decides who may run them, not what they are about: the queues of one agent are added up.
 */
export function describeQueues(namespace: Namespace, filter: { type: TaskType | 0; name: string }): QueueDescription[] {
  return [...listSubjects(namespace)]
    .filter(
      ({ type, name }) => (filter.type === 0 || type === filter.type) && (filter.name === "" || name === filter.name),
    )
    .sort((a, b) => a.type - b.type || (a.name < b.name ? -1 : 1))
    .map((subject) => describe(namespace, subject));
}

function listSubjects(namespace: Namespace): Iterable<Subject> {
  const subjects = new Map<string, Subject>();
  const subjectOf = (type: TaskType, name: string) => {
    const key = `${type}:${name}`;
    const subject = subjects.get(key) ?? { type, name, queues: [] };
    subjects.set(key, subject);
    return subject;
  };
  for (const queue of namespace.queues.values()) {
    if (queue.waiting + queue.running > 0) subjectOf(queue.type, queue.name).queues.push(queue);
  }
  for (const { capabilities } of namespace.pools.values()) {
    for (const { type, name } of capabilities) if (name !== ANY_NAME) subjectOf(type, name);
  }
  return subjects.values();
}

function describe(namespace: Namespace, { type, name, queues }: Subject): QueueDescription {
  // Who may have the undescribed tasks of an agent may have the described ones too: the widest kind gives the union.
  const described = type === TaskType.AGENT && (queues.length === 0 || queues.some((queue) => queue.described));
  let freeSlots = 0;
  let workers = 0;
  for (const pool of namespace.pools.values()) {
    const capability = findCapability(pool, { type, name, described });
    if (capability < 0) continue;
    workers += pool.workers.length;
    freeSlots += countFreeSlots(pool, capability);
  }
  return {
    type,
    name,
    waiting: sum(queues, ({ waiting }) => waiting),
    running: sum(queues, ({ running }) => running),
    freeSlots,
    workers,
    oldestScheduledAtMs: findOldest(queues),
  };
}

function sum(queues: readonly TaskQueue[], count: (queue: TaskQueue) => number): number {
  return queues.reduce((total, queue) => total + count(queue), 0);
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
function findOldest(queues: readonly TaskQueue[]): number | undefined {
  let oldest: number | undefined;
  for (const { head } of queues.flatMap(({ lanes }) => lanes)) {
    if (head?.task === undefined) continue;
    const scheduledAtMs = Number(head.task.scheduledAtMs);
    if (oldest === undefined || scheduledAtMs < oldest) oldest = scheduledAtMs;
  }
  return oldest;
}
