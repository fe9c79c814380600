import { DomainError } from "@heddle/errors";
import type { Heartbeat, HeldTask, WorkerHello } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { endLease, grantLease, renewLease, shortenLease } from "./leases.ts";
import type { Namespace, TaskEntry, Worker, WorkerOutbox } from "./model.ts";
import { cancelTask } from "./refusals.ts";
import { findTask, getNamespace, partitionOf, type SchedulerState } from "./state.ts";
import { createEntry, leaveState, mayRun, queueOf, startWaiting } from "./tasks.ts";
import { kindOf } from "./task-kind.ts";
import { findCapability } from "./worker-pool.ts";
import { admitWorker, createWorker, forgetWorkerIfGone, retireWorker } from "./worker-registry.ts";

export function createWorkerOutbox(wake: () => void): WorkerOutbox {
  return { leases: [], canceledTaskIds: [], refusals: [], acknowledgedFrame: 0n, closed: undefined, wake };
}

/**
 * A worker has connected, or come back. An older stream of the same worker is closed with REPLACED_BY_NEW_STREAM.
 * @returns the held tasks that it must drop.
 * @throws DomainError TOO_MANY_WORKERS
 */
export function connectWorker(
  state: SchedulerState,
  hello: WorkerHello,
  outbox: WorkerOutbox,
  nowMs: number,
): { worker: Worker; droppedTaskIds: string[] } {
  const namespace = getNamespace(state, hello.namespace);
  let worker = namespace.workers.get(hello.workerId);
  if (worker === undefined) {
    checkRoomForWorker(state, namespace);
    worker = createWorker(namespace, hello, outbox, nowMs);
  }
  if (worker.outbox !== outbox) replaceStream(state, worker, outbox);
  admitWorker(worker, hello, nowMs);
  const droppedTaskIds: string[] = [];
  const held = new Set<string>();
  for (const each of hello.held) {
    if (keepHeld(state, worker, each, nowMs)) held.add(each.taskId);
    else droppedTaskIds.push(each.taskId);
  }
  // What it does not name it may have finished: its results are on their way. If not, they were lost with the stream.
  for (const lease of worker.leases) {
    if (!held.has(lease.entry.id)) shortenLease(state, lease, nowMs + state.limits.reconnectGraceMs);
  }
  state.admissible.add(namespace);
  return { worker, droppedTaskIds };
}

/** The worker's stream is gone. Its leases stay until they end, so that it can come back to them. */
export function disconnectWorker(state: SchedulerState, worker: Worker, outbox: WorkerOutbox): void {
  takeBack(state, outbox);
  if (worker.outbox !== outbox) return;
  retireWorker(worker, "lost");
  forgetWorkerIfGone(worker);
}

/** What was never sent can be given to another at once. */
function takeBack(state: SchedulerState, outbox: WorkerOutbox): void {
  const { leases } = outbox;
  outbox.leases = [];
  for (const lease of leases.reverse()) {
    if (lease.entry.lease !== lease) continue;
    endLease(state, lease);
    startWaiting(state, lease.entry, "first");
  }
}

export function drainWorker(worker: Worker): void {
  if (worker.status === "connected") retireWorker(worker, "draining");
}

/** Keeps the leases of the tasks that are named; a task that is not this worker's (any longer) is to be stopped. */
export function renewLeases(
  state: SchedulerState,
  worker: Worker,
  heartbeats: readonly Heartbeat[],
  nowMs: number,
): void {
  for (const heartbeat of heartbeats) {
    const { taskId, fencingToken } = heartbeat;
    const lease = findTask(state, taskId)?.lease;
    if (lease !== undefined && lease.worker === worker && lease.token === fencingToken) {
      renewLease(state, lease, nowMs, heartbeat);
    } else if (lease !== undefined || partitionOf(state, taskId).synced) {
      cancelTask(state, worker, taskId);
    }
  }
}

/**
 * Whether a token is one that the task may still be completed with: that of its latest delivery, or one of a start of the
 * scheduler before this one, of which only the highest counts.
 */
export function isCurrentToken(state: SchedulerState, entry: TaskEntry, token: bigint): boolean {
  if (token === entry.lastToken) return token > 0n;
  return token > entry.lastToken && token <= state.tokens.inherited;
}

/** Whether the worker goes on with a task that it says it holds. */
function keepHeld(state: SchedulerState, worker: Worker, held: HeldTask, nowMs: number): boolean {
  const { taskId, fencingToken: token } = held;
  const partition = partitionOf(state, taskId);
  let entry = partition.tasks.get(taskId);
  if (entry === undefined) {
    if (partition.synced || token > state.tokens.inherited) return false;
    if (state.counts.unconfirmed >= state.limits.unconfirmedTasksMax) return false;
    entry = createEntry(state, partition, taskId, undefined);
    if (partition.owner === undefined) partition.orphanedAtMs ??= nowMs;
  }
  if (entry.state === "finished" || !isCurrentToken(state, entry, token) || !mayRun(worker, entry)) return false;
  if (entry.lease?.worker === worker && entry.lease.token === token) {
    renewLease(state, entry.lease, nowMs);
    return true;
  }
  if (entry.lease !== undefined) {
    // The same token at another worker, or an older one at this: the one with the latest delivery keeps the task.
    if (entry.lease.token >= token) return false;
    cancelTask(state, entry.lease.worker, taskId);
    endLease(state, entry.lease);
  } else {
    leaveState(state, entry);
  }
  adopt(state, worker, entry, held, nowMs);
  return true;
}

function adopt(state: SchedulerState, worker: Worker, entry: TaskEntry, held: HeldTask, nowMs: number): void {
  const { task } = entry;
  // The worker's clock may be wrong: it began neither before the task was scheduled nor after now.
  const scheduledAtMs = task === undefined ? 0 : Number(task.scheduledAtMs);
  const startedAtMs = Math.min(nowMs, Math.max(scheduledAtMs, Number(held.startedAtMs)));
  const capability = task === undefined || worker.pool === undefined ? -1 : findCapability(worker.pool, kindOf(task));
  if (task !== undefined) queueOf(state, entry);
  if (entry.losses > 0 && entry.lastToken === held.fencingToken) entry.losses -= 1;
  grantLease(state, entry, worker, { token: held.fencingToken, startedAtMs, capability, nowMs });
}

function replaceStream(state: SchedulerState, worker: Worker, outbox: WorkerOutbox): void {
  const older = worker.outbox;
  takeBack(state, older);
  worker.outbox = outbox;
  if (worker.status === "lost") return;
  older.closed ??= new DomainError({
    kind: "already_exists",
    reason: "REPLACED_BY_NEW_STREAM",
    message: `worker ${worker.id} has connected again; this older stream is closed. Give every process an id of its own`,
  });
  state.filled.add(older);
}

function checkRoomForWorker({ limits }: SchedulerState, { name, workers }: Namespace): void {
  if (workers.size < limits.workersPerNamespaceMax) return;
  throw new DomainError({
    kind: "resource_exhausted",
    reason: "TOO_MANY_WORKERS",
    message: `namespace ${name} has ${workers.size} workers, the limit is ${limits.workersPerNamespaceMax}; give each more slots, or stop some`,
    metadata: { namespace: name, limit: String(limits.workersPerNamespaceMax) },
  });
}
