import { DomainError } from "@heddle/errors";
import { beginAll, dropOrphans } from "./links.ts";
import { endLease, removeRecent } from "./leases.ts";
import type { Lease, TaskEntry, Worker } from "./model.ts";
import { cancelTask, endStream } from "./refusals.ts";
import type { SchedulerState } from "./state.ts";
import { fail, startWaiting } from "./tasks.ts";

/** Whether anything waits for its time: otherwise no tick is needed. */
export function needsTicks(state: SchedulerState): boolean {
  if (state.timers.size > 0 || state.queueTimers.size > 0 || state.recovering.length > 0) return true;
  return state.partitions.some(({ orphanedAtMs }) => orphanedAtMs !== undefined);
}

/** Ticks begin again: the time without them was no standstill. */
export function resumeTicks(state: SchedulerState, nowMs: number): void {
  state.lastTickMs = nowMs;
}

/** Does what has become due. To be called every `timerResolutionMs` while `needsTicks`. */
export function tick(state: SchedulerState, nowMs: number): void {
  const { limits } = state;
  // The process itself was stopped: heartbeats wait in its sockets, and leases must not end before they are read.
  if (nowMs - state.lastTickMs > limits.leaseDurationMs / 4) state.graceUntilMs = nowMs + limits.leaseDurationMs / 3;
  state.lastTickMs = nowMs;
  endRecovery(state, nowMs);
  const lost: TaskEntry[] = [];
  state.timers.advance(nowMs, (lease) => due(state, lease, nowMs, lost));
  state.queueTimers.advance(nowMs, ({ entry }) => endWait(state, entry));
  redeliver(state, lost);
  reportProgress(state, nowMs);
  for (const partition of state.partitions) {
    const { orphanedAtMs } = partition;
    if (orphanedAtMs !== undefined && nowMs - orphanedAtMs >= limits.orphanDurationMs) dropOrphans(state, partition);
  }
}

function endRecovery(state: SchedulerState, nowMs: number): void {
  if (state.recovering.length === 0 || nowMs < state.recoveryEndsAtMs) return;
  const entries = state.recovering;
  state.recovering = [];
  // Others were named by a worker or canceled in the meantime.
  beginAll(
    state,
    entries.filter((entry) => entry.state === "recovering" && entry.partition.tasks.get(entry.id) === entry),
  );
}

function endWait(state: SchedulerState, entry: TaskEntry): void {
  entry.queueDeadline = undefined;
  state.counters.timedOut += 1;
  const message = `no worker has taken the task within its queue time-out of ${entry.task?.queueTimeoutMs} ms`;
  fail(state, entry, { type: "queue_timeout", message });
}

function due(state: SchedulerState, lease: Lease, nowMs: number, lost: TaskEntry[]): void {
  const { entry } = lease;
  if (lease.timeoutAtMs <= nowMs) {
    const message = `the task did not end within its time-out of ${entry.task?.timeoutMs} ms`;
    state.counters.timedOut += 1;
    return fail(state, entry, { type: "timeout", message });
  }
  if (state.graceUntilMs > nowMs) {
    return state.timers.schedule(lease, Math.min(state.graceUntilMs, lease.timeoutAtMs));
  }
  if (lease.silentAtMs <= nowMs) {
    const message = `the task gave no sign of life for its heartbeat time-out of ${entry.task?.heartbeatTimeoutMs} ms`;
    state.counters.timedOut += 1;
    return fail(state, entry, { type: "heartbeat_timeout", message });
  }
  if (lease.idleAtMs <= nowMs) {
    const message = `the task reported no progress for its progress time-out of ${entry.task?.progressTimeoutMs} ms`;
    state.counters.timedOut += 1;
    return fail(state, entry, { type: "progress_timeout", message });
  }
  loseLease(state, lease, nowMs);
  if (entry.task === undefined) {
    entry.partition.tasks.delete(entry.id);
    state.counts.tasks -= 1;
    state.counts.unconfirmed -= 1;
  } else {
    entry.losses += 1;
    lost.push(entry);
  }
}

function loseLease(state: SchedulerState, lease: Lease, nowMs: number): void {
  const { worker, entry } = lease;
  cancelTask(state, worker, entry.id);
  endLease(state, lease);
  if (worker.status !== "lost" && nowMs - worker.lastSeenAtMs >= state.limits.leaseDurationMs) hangUp(state, worker);
}

/** A connection may stay open long after the process behind it has stopped; it must not get the next task as well. */
function hangUp(state: SchedulerState, worker: Worker): void {
  const error = new DomainError({
    kind: "deadline_exceeded",
    reason: "DEADLINE_EXCEEDED",
    message: `worker ${worker.id} has sent nothing for ${state.limits.leaseDurationMs} ms while it had tasks; connect again and name what is still held`,
  });
  endStream(state, worker, error);
}

function redeliver(state: SchedulerState, lost: TaskEntry[]): void {
  // Each goes before all others of its priority, so the one that has waited longest must come last.
  lost.sort((a, b) => b.waitingSinceMs - a.waitingSinceMs || (a.lastToken < b.lastToken ? 1 : -1));
  for (const entry of lost) {
    state.counters.redelivered += 1;
    if (entry.losses < state.limits.lossesMax) {
      startWaiting(state, entry, "first", state.lastTickMs);
      continue;
    }
    state.counters.lost += 1;
    fail(state, entry, {
      type: "worker_lost",
      message: `the task was delivered ${entry.losses} times, and each time its worker was lost before it sent a result`,
    });
  }
}

function reportProgress(state: SchedulerState, nowMs: number): void {
  const { progressDelayMs, unreadNoticesMax } = state.limits;
  for (let lease = state.recent.first; lease !== undefined; lease = state.recent.first) {
    if (lease.grantedAtMs + progressDelayMs > nowMs) return;
    removeRecent(state, lease);
    const { entry, worker, startedAtMs } = lease;
    const { owner } = entry.partition;
    if (owner === undefined || owner.progress.length >= unreadNoticesMax) continue;
    owner.progress.push({
      $typeName: "heddle.scheduler.v1.TaskProgress",
      taskId: entry.id,
      worker: worker.id,
      startedAtMs: BigInt(startedAtMs),
    });
    state.filled.add(owner);
  }
}
