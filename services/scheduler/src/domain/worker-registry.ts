import type { Capability, WorkerHello } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { Namespace, Worker, WorkerOutbox } from "./model.ts";
import { addPool, removePool } from "./namespace.ts";
import { kindOf } from "./task-kind.ts";
import { addToPool, createPool, findCapability, poolSignature, removeFromPool } from "./worker-pool.ts";

export function createWorker(namespace: Namespace, hello: WorkerHello, outbox: WorkerOutbox, nowMs: number): Worker {
  const worker: Worker = {
    namespace,
    id: hello.workerId,
    status: "lost",
    capabilities: [],
    slots: 0,
    labels: {},
    client: "",
    pool: undefined,
    heapIndex: -1,
    leases: new Set(),
    running: [],
    connectedAtMs: nowMs,
    lastSeenAtMs: nowMs,
    completed: 0,
    refused: 0,
    frames: [],
    acknowledgedFrame: 0n,
    outbox,
  };
  namespace.workers.set(worker.id, worker);
  return worker;
}

/** Takes over what the worker says of itself, and lets it have tasks. */
export function admitWorker(worker: Worker, hello: WorkerHello, nowMs: number): void {
  leavePool(worker);
  worker.status = "connected";
  worker.capabilities = hello.capabilities;
  worker.slots = hello.slots;
  worker.labels = hello.labels;
  worker.client = hello.client;
  worker.connectedAtMs = nowMs;
  worker.lastSeenAtMs = nowMs;
  joinPool(worker, hello.capabilities);
}

/** The worker gets no more tasks; what it holds it keeps. */
export function retireWorker(worker: Worker, status: "draining" | "lost"): void {
  worker.status = status;
  if (worker.pool !== undefined && worker.heapIndex >= 0) {
    removeFromPool(worker.pool, worker);
    if (worker.pool.workers.length === 0) removePool(worker.namespace, worker.pool);
  }
}

/** Forgets a worker that is not connected, holds nothing and waits for nothing. */
export function forgetWorkerIfGone(worker: Worker): void {
  if (worker.status !== "lost" || worker.leases.size > 0 || worker.frames.length > 0) return;
  if (worker.namespace.workers.get(worker.id) === worker) worker.namespace.workers.delete(worker.id);
}

function leavePool(worker: Worker): void {
  if (worker.heapIndex >= 0) retireWorker(worker, "lost");
  worker.pool = undefined;
}

function joinPool(worker: Worker, capabilities: readonly Capability[]): void {
  const { namespace } = worker;
  const signature = poolSignature(capabilities);
  const pool = namespace.pools.get(signature) ?? createPool(capabilities);
  worker.pool = pool;
  worker.running = pool.capabilities.map(() => 0);
  for (const lease of worker.leases) {
    const { task } = lease.entry;
    lease.capability = task === undefined ? -1 : findCapability(pool, kindOf(task));
    if (lease.capability >= 0) worker.running[lease.capability] = (worker.running[lease.capability] as number) + 1;
  }
  addToPool(pool, worker);
  if (!namespace.pools.has(signature)) addPool(namespace, pool);
}
