import type { Capability } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { PoolCapability, Worker, WorkerPool } from "./model.ts";
import type { TaskKind } from "./task-kind.ts";

/** Name of a capability that covers every tool, or every agent that its task describes. */
export const ANY_NAME = "*";

/** Workers with the same signature can do the same and share a pool. */
export function poolSignature(capabilities: readonly Capability[]): string {
  return capabilities
    .map(({ type, name, maxConcurrent }) => `${type}:${name}:${maxConcurrent}`)
    .sort()
    .join("\n");
}

export function createPool(capabilities: readonly Capability[]): WorkerPool {
  return {
    signature: poolSignature(capabilities),
    capabilities: capabilities
      .map(({ type, name, maxConcurrent }): PoolCapability => ({ type, name, maxConcurrent, open: 0 }))
      .sort((a, b) => a.type - b.type || compareNames(a.name, b.name) || a.maxConcurrent - b.maxConcurrent),
    workers: [],
  };
}

function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * The capability that covers the kind: one of this very name before the one for any name; -1 when none does.
 *
 * A worker for any agent knows of it what the task says and nothing else. One that the task does not describe is for those
 * that registered it by name: given to the former it would fail for good, with the latter standing by.
 */
export function findCapability(pool: WorkerPool, { type, name, described }: TaskKind): number {
  const exact = pool.capabilities.findIndex((each) => each.type === type && each.name === name);
  if (exact >= 0) return exact;
  if (type === TaskType.AGENT && !described) return -1;
  return pool.capabilities.findIndex((each) => each.type === type && each.name === ANY_NAME);
}

/**
 * The worker with the smallest share of its slots in use that may take one more task of the capability. In the common case
 * it is the root of the heap; only where the root is at a limit of its own for this capability are the others looked at.
 */
export function leastLoaded(pool: WorkerPool, capability: number): Worker | undefined {
  const root = pool.workers[0];
  if (root === undefined || !hasFreeSlot(root)) return undefined;
  const { maxConcurrent, open } = pool.capabilities[capability] as PoolCapability;
  if (maxConcurrent === 0) return root;
  if (open === 0) return undefined;
  let best: Worker | undefined;
  for (const worker of pool.workers) {
    if (!hasFreeSlot(worker) || (worker.running[capability] as number) >= maxConcurrent) continue;
    if (worker === root) return root;
    if (best === undefined || isLessLoaded(worker, best)) best = worker;
  }
  return best;
}

export function hasFreeSlot(worker: Worker): boolean {
  return worker.leases.size < worker.slots;
}

/** By share of slots in use; with equal shares the one that has fewer tasks. */
export function isLessLoaded(a: Worker, b: Worker): boolean {
  const difference = a.leases.size * b.slots - b.leases.size * a.slots;
  return difference < 0 || (difference === 0 && a.leases.size < b.leases.size);
}

/** The worker takes tasks from now on. */
export function addToPool(pool: WorkerPool, worker: Worker): void {
  worker.heapIndex = pool.workers.push(worker) - 1;
  siftUp(pool.workers, worker.heapIndex);
  countOpen(pool, worker, 1);
}

/** The worker takes no tasks from now on; what it has it keeps. */
export function removeFromPool(pool: WorkerPool, worker: Worker): void {
  const { workers } = pool;
  const index = worker.heapIndex;
  const last = workers.pop() as Worker;
  if (last !== worker) {
    workers[index] = last;
    last.heapIndex = index;
    reposition(workers, index);
  }
  worker.heapIndex = -1;
  countOpen(pool, worker, -1);
}

/** Says that the worker got (+1) or ended (-1) a task of the capability. Its set of leases is already the new one. */
export function countTask(worker: Worker, capability: number, change: 1 | -1): void {
  const { pool } = worker;
  if (pool === undefined) return;
  if (capability >= 0) {
    const { maxConcurrent } = pool.capabilities[capability] as PoolCapability;
    const before = worker.running[capability] as number;
    worker.running[capability] = before + change;
    if (maxConcurrent > 0 && worker.heapIndex >= 0 && before < maxConcurrent !== before + change < maxConcurrent) {
      (pool.capabilities[capability] as PoolCapability).open -= change;
    }
  }
  if (worker.heapIndex >= 0) reposition(pool.workers, worker.heapIndex);
}

function countOpen(pool: WorkerPool, worker: Worker, change: 1 | -1): void {
  for (const [index, capability] of pool.capabilities.entries()) {
    if ((worker.running[index] as number) < capability.maxConcurrent) capability.open += change;
  }
}

function reposition(heap: Worker[], index: number): void {
  if (!siftUp(heap, index)) siftDown(heap, index);
}

function siftUp(heap: Worker[], start: number): boolean {
  let index = start;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isLessLoaded(heap[index] as Worker, heap[parent] as Worker)) break;
    swap(heap, index, parent);
    index = parent;
  }
  return index !== start;
}

function siftDown(heap: Worker[], start: number): void {
  for (let index = start; ; ) {
    let least = index;
    for (let child = 2 * index + 1; child <= 2 * index + 2 && child < heap.length; child++) {
      if (isLessLoaded(heap[child] as Worker, heap[least] as Worker)) least = child;
    }
    if (least === index) return;
    swap(heap, index, least);
    index = least;
  }
}

function swap(heap: Worker[], a: number, b: number): void {
  const first = heap[a] as Worker;
  const second = heap[b] as Worker;
  heap[a] = second;
  heap[b] = first;
  second.heapIndex = a;
  first.heapIndex = b;
}
