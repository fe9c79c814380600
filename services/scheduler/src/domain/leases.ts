import type { Heartbeat } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { Lease, TaskEntry, Worker } from "./model.ts";
import type { SchedulerState } from "./state.ts";
import { kindOf } from "./task-kind.ts";
import { countTask, findCapability } from "./worker-pool.ts";
import { forgetWorkerIfGone } from "./worker-registry.ts";

/** Gives the entry, which is in no queue, to the worker. */
export function grantLease(
  state: SchedulerState,
  entry: TaskEntry,
  worker: Worker,
  grant: { token: bigint; startedAtMs: number; capability: number; nowMs: number },
): Lease {
  const { token, startedAtMs, capability, nowMs } = grant;
  const lease: Lease = {
    entry,
    worker,
    token,
    startedAtMs,
    grantedAtMs: nowMs,
    capability,
    expiresAtMs: nowMs + state.limits.leaseDurationMs,
    timeoutAtMs: Infinity,
    silentAtMs: Infinity,
    idleAtMs: Infinity,
    recentPrevious: undefined,
    recentNext: undefined,
    recent: false,
    dueMs: Infinity,
    timerPrevious: undefined,
    timerNext: undefined,
  };
  entry.state = "running";
  entry.lease = lease;
  entry.lastToken = token;
  worker.leases.add(lease);
  countTask(worker, capability, 1);
  state.counts.running += 1;
  if (entry.queue !== undefined) entry.queue.running += 1;
  setTimeouts(lease, nowMs);
  schedule(state, lease);
  appendRecent(state, lease);
  return lease;
}

/** The time-outs that the task asks for; without a task (nobody confirmed it yet) only the lease counts. */
function setTimeouts(lease: Lease, nowMs: number): void {
  const { task } = lease.entry;
  if (task === undefined) return;
  if (task.timeoutMs > 0n) lease.timeoutAtMs = lease.startedAtMs + Number(task.timeoutMs);
  if (task.heartbeatTimeoutMs > 0n) lease.silentAtMs = nowMs + Number(task.heartbeatTimeoutMs);
  if (task.progressTimeoutMs > 0n) lease.idleAtMs = nowMs + Number(task.progressTimeoutMs);
}

/** The owner has said what the task is that a worker holds: its limits and time-outs hold from now on. */
export function confirmLease(state: SchedulerState, lease: Lease, nowMs: number): void {
  const { entry, worker } = lease;
  if (entry.task === undefined || worker.pool === undefined) return;
  lease.capability = findCapability(worker.pool, kindOf(entry.task));
  // The lease is in the worker's set already: only the count of its kind is missing.
  countTask(worker, lease.capability, 1);
  if (entry.queue !== undefined) entry.queue.running += 1;
  setTimeouts(lease, nowMs);
  schedule(state, lease);
}

/** What a heartbeat says of the handler. */
export type HandlerSigns = Pick<Heartbeat, "fromHandler" | "progress">;

/** A heartbeat named the task; without signs the worker itself did. */
export function renewLease(state: SchedulerState, lease: Lease, nowMs: number, signs?: HandlerSigns): void {
  lease.expiresAtMs = nowMs + state.limits.leaseDurationMs;
  const { task } = lease.entry;
  if (signs?.fromHandler && lease.silentAtMs !== Infinity) {
    lease.silentAtMs = nowMs + Number(task?.heartbeatTimeoutMs ?? 0n);
  }
  if (signs?.progress !== undefined && lease.idleAtMs !== Infinity) {
    lease.idleAtMs = nowMs + Number(task?.progressTimeoutMs ?? 0n);
  }
  schedule(state, lease);
}

/** Makes the lease end at `expiresAtMs`, if it would end later. */
export function shortenLease(state: SchedulerState, lease: Lease, expiresAtMs: number): void {
  if (expiresAtMs >= lease.expiresAtMs) return;
  lease.expiresAtMs = expiresAtMs;
  schedule(state, lease);
}

/** Takes the task from the worker; its slot is free at once. What becomes of the entry is the caller's affair. */
export function endLease(state: SchedulerState, lease: Lease): void {
  const { entry, worker } = lease;
  worker.leases.delete(lease);
  countTask(worker, lease.capability, -1);
  state.counts.running -= 1;
  if (entry.queue !== undefined) entry.queue.running -= 1;
  entry.lease = undefined;
  state.timers.cancel(lease);
  removeRecent(state, lease);
  if (worker.status === "lost") forgetWorkerIfGone(worker);
  else state.admissible.add(worker.namespace);
}

function schedule(state: SchedulerState, lease: Lease): void {
  state.timers.schedule(lease, Math.min(lease.expiresAtMs, lease.timeoutAtMs, lease.silentAtMs, lease.idleAtMs));
}

function appendRecent({ recent }: SchedulerState, lease: Lease): void {
  lease.recent = true;
  lease.recentPrevious = recent.last;
  if (recent.last === undefined) recent.first = lease;
  else recent.last.recentNext = lease;
  recent.last = lease;
}

/** Its progress need not be reported (any more). */
export function removeRecent({ recent }: SchedulerState, lease: Lease): void {
  if (!lease.recent) return;
  lease.recent = false;
  if (lease.recentPrevious === undefined) recent.first = lease.recentNext;
  else lease.recentPrevious.recentNext = lease.recentNext;
  if (lease.recentNext === undefined) recent.last = lease.recentPrevious;
  else lease.recentNext.recentPrevious = lease.recentPrevious;
  lease.recentPrevious = undefined;
  lease.recentNext = undefined;
}
