import type { Namespace, TaskQueue, WorkerPool } from "./model.ts";
import { createQueue, queueKey } from "./queue.ts";
import type { TaskKind } from "./task-kind.ts";
import { findCapability } from "./worker-pool.ts";

export const DEFAULT_NAMESPACE = "default";

export function createNamespace(name: string): Namespace {
  return { name, queues: new Map(), servable: new Set(), pools: new Map(), workers: new Map() };
}

export function isIdle(namespace: Namespace): boolean {
  return namespace.workers.size === 0 && [...namespace.queues.values()].every(isIdleQueue);
}

/** The queue of a kind of tasks; made when there is none, and then idle ones beyond the limit are let go. */
export function getQueue(namespace: Namespace, kind: TaskKind, idleQueuesMax: number): TaskQueue {
  const key = queueKey(kind);
  const known = namespace.queues.get(key);
  if (known !== undefined) return known;
  if (namespace.queues.size >= idleQueuesMax) forgetIdleQueues(namespace);
  const queue = createQueue(namespace, kind);
  for (const pool of namespace.pools.values()) offer(pool, queue);
  namespace.queues.set(key, queue);
  return queue;
}

/** Names come from definitions, so that there is no end of them. */
function forgetIdleQueues(namespace: Namespace): void {
  for (const [key, queue] of namespace.queues) {
    if (isIdleQueue(queue)) namespace.queues.delete(key);
  }
}

function isIdleQueue(queue: TaskQueue): boolean {
  return queue.waiting === 0 && queue.running === 0;
}

/** Makes the pool's workers known to every queue that they can serve. */
export function addPool(namespace: Namespace, pool: WorkerPool): void {
  namespace.pools.set(pool.signature, pool);
  for (const queue of namespace.queues.values()) {
    offer(pool, queue);
    updateServable(queue);
  }
}

export function removePool(namespace: Namespace, pool: WorkerPool): void {
  namespace.pools.delete(pool.signature);
  for (const queue of namespace.queues.values()) {
    queue.offers = queue.offers.filter((each) => each.pool !== pool);
    updateServable(queue);
  }
}

function offer(pool: WorkerPool, queue: TaskQueue): void {
  const capability = findCapability(pool, queue);
  if (capability >= 0) queue.offers.push({ pool, capability });
}

/** To be called when a queue got its first task, lost its last, or when its offers changed. */
export function updateServable(queue: TaskQueue): void {
  const { servable } = queue.namespace;
  if (queue.waiting > 0 && queue.offers.length > 0) servable.add(queue);
  else servable.delete(queue);
}
