import { DomainError } from "@heddle/errors";
import type { LinkSync } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import { type Task, TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { RefusalReason } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { confirmLease } from "./leases.ts";
import type { LinkFrame, Owner, Partition, TaskEntry } from "./model.ts";
import { cancelTask, refuse } from "./refusals.ts";
import { findTask, partitionOf, type SchedulerState } from "./state.ts";
import { createEntry, fail, forget, leaveState, mayRun, queueOf, report, startWaiting } from "./tasks.ts";

const MAX_NAME_LENGTH = 128;

/** A new link of the owner; an older one that is still open is closed with REPLACED_BY_NEW_LINK. */
export function openLink(state: SchedulerState, ownerId: string, wake: () => void, nowMs: number): Owner {
  const older = state.owners.get(ownerId);
  if (older !== undefined) {
    older.closed ??= new DomainError({
      kind: "already_exists",
      reason: "REPLACED_BY_NEW_LINK",
      message: `owner ${ownerId} has opened a newer link; this one is closed`,
    });
    state.filled.add(older);
    closeLink(state, older, nowMs);
  }
  const owner: Owner = {
    id: ownerId,
    connected: true,
    partitions: new Set(),
    results: [],
    progress: [],
    pulse: false,
    frames: [],
    lastFrame: 0n,
    unacknowledged: 0,
    sync: undefined,
    closed: undefined,
    wake,
  };
  state.owners.set(ownerId, owner);
  return owner;
}

/** Tasks, leases and results stay as they are until another owner syncs, or for `orphanDurationMs`. */
export function closeLink(state: SchedulerState, owner: Owner, nowMs: number): void {
  if (!owner.connected) return;
  owner.connected = false;
  if (state.owners.get(owner.id) === owner) state.owners.delete(owner.id);
  for (const partition of owner.partitions) {
    partition.owner = undefined;
    if (partition.tasks.size > 0) partition.orphanedAtMs = nowMs;
  }
  owner.partitions.clear();
  owner.frames = [];
  owner.results = [];
  owner.progress = [];
}

/**
 * Takes new tasks. One that is known is left as it is: the id is the idempotency key. Of two owners the one that has lost the
 * partition may be heard last: what it asked for is in the other's sync, and its word must not take the partition back.
 */
export function scheduleTasks(state: SchedulerState, owner: Owner, tasks: readonly Task[], nowMs: number): void {
  for (const task of tasks) {
    const partition = partitionOf(state, task.taskId);
    if (partition.owner !== owner) continue;
    let entry = partition.tasks.get(task.taskId);
    if (entry === undefined) {
      checkRoom(state);
      entry = createEntry(state, partition, task.taskId, task);
      entry.waitingSinceMs = nowMs;
      begin(state, entry);
    } else if (entry.task === undefined) {
      confirm(state, entry, task, nowMs);
    }
    if (owner.sync !== undefined) entry.syncMark = owner.sync.mark;
  }
}

/** Takes a part of everything that the owner wants in some partitions; after the last one, the rest is dropped. */
export function syncTasks(state: SchedulerState, owner: Owner, frame: LinkSync, nowMs: number): void {
  owner.sync ??= { mark: ++state.syncs, partitions: new Set() };
  const { mark, partitions } = owner.sync;
  for (const [place, index] of frame.partitions.entries()) {
    const partition = state.partitions[index] as Partition;
    const epoch = frame.epochs[place] ?? partition.epoch;
    if (epoch < partition.epoch) continue;
    partition.epoch = epoch;
    takePartition(partition, owner);
    partitions.add(partition);
  }
  const unknown: TaskEntry[] = [];
  for (const task of frame.tasks) {
    const partition = partitionOf(state, task.taskId);
    if (partition.owner !== owner) continue;
    let entry = partition.tasks.get(task.taskId);
    if (entry === undefined) {
      checkRoom(state);
      entry = createEntry(state, partition, task.taskId, task);
      entry.waitingSinceMs = Math.min(nowMs, Number(task.scheduledAtMs) || nowMs);
      unknown.push(entry);
    } else if (entry.task === undefined) {
      confirm(state, entry, task, nowMs);
    } else if (entry.state === "finished") {
      report(state, entry);
    }
    entry.syncMark = mark;
  }
  if (nowMs < state.recoveryEndsAtMs) for (const entry of unknown) state.recovering.push(entry);
  else beginAll(state, unknown);
  if (frame.last) endSync(state, owner);
}

/** Starts to wait in the order in which the tasks were scheduled, which a sync does not keep. */
export function beginAll(state: SchedulerState, entries: TaskEntry[]): void {
  entries.sort((a, b) => a.waitingSinceMs - b.waitingSinceMs);
  for (const entry of entries) begin(state, entry);
}

/** Nobody wants these any longer; unknown ones are ignored. */
export function cancelTasks(state: SchedulerState, taskIds: readonly string[]): void {
  for (const taskId of taskIds) {
    const entry = findTask(state, taskId);
    if (entry !== undefined) forget(state, entry);
  }
}

/** The results in frames up to this one are durable: what is known of their tasks goes. */
export function acknowledgeResults(state: SchedulerState, owner: Owner, upToFrame: bigint): void {
  let count = 0;
  for (const frame of owner.frames) {
    if (frame.number > upToFrame) break;
    count += 1;
    settle(state, owner, frame);
  }
  owner.frames.splice(0, count);
  // More may go out now, if the bound held something back.
  if (owner.results.length > 0) state.filled.add(owner);
}

/**
 * The owner has neither recorded nor refused these results, because their partition has moved away from it. They are kept
 * for the next sync, which may be its own: then they are reported anew, and frames that are still open do not count.
 */
export function takeBackResults(state: SchedulerState, owner: Owner, taskIds: readonly string[]): void {
  const returned = new Set<TaskEntry>();
  for (const taskId of taskIds) {
    const entry = findTask(state, taskId);
    if (entry?.reportedTo !== owner) continue;
    entry.reportedTo = undefined;
    returned.add(entry);
  }
  if (returned.size === 0) return;
  for (const frame of owner.frames) {
    const kept = frame.entries.filter((entry) => !returned.has(entry));
    owner.unacknowledged -= frame.entries.length - kept.length;
    frame.entries = kept;
  }
}

function settle(state: SchedulerState, owner: Owner, frame: LinkFrame): void {
  owner.unacknowledged -= frame.entries.length;
  for (const entry of frame.entries) {
    // Another owner may have the partition by now: then this one does not speak for it.
    if (entry.reportedTo === owner && entry.partition.owner === owner) forget(state, entry);
  }
}

/** Forgets every task of a partition that nobody has owned for too long. */
export function dropOrphans(state: SchedulerState, partition: Partition): void {
  for (const entry of partition.tasks.values()) drop(state, entry);
  partition.synced = false;
  partition.orphanedAtMs = undefined;
}

function endSync(state: SchedulerState, owner: Owner): void {
  const { sync } = owner;
  if (sync === undefined) return;
  owner.sync = undefined;
  for (const partition of sync.partitions) {
    if (partition.owner !== owner) continue;
    partition.synced = true;
    for (const entry of partition.tasks.values()) if (entry.syncMark !== sync.mark) drop(state, entry);
  }
}

/** The task is over, whatever a worker has to say of it. */
function drop(state: SchedulerState, entry: TaskEntry): void {
  const { resultFrame } = entry;
  if (entry.task === undefined && resultFrame !== undefined) {
    refuse(state, resultFrame.worker, entry.id, RefusalReason.NOT_RUNNING);
  }
  forget(state, entry);
}

function takePartition(partition: Partition, owner: Owner): void {
  partition.orphanedAtMs = undefined;
  if (partition.owner === owner) return;
  partition.owner?.partitions.delete(partition);
  partition.owner = owner;
  owner.partitions.add(partition);
}

function begin(state: SchedulerState, entry: TaskEntry): void {
  // A task that cannot run must not end the link: it would come again with every sync, and others with it.
  const fault = findFault(entry.task as Task);
  if (fault === undefined) startWaiting(state, entry, "last");
  else
    fail(state, entry, { type: "task_invalid", message: `the task cannot be scheduled: ${fault}`, nonRetryable: true });
}

function findFault({ type, name }: Task): string | undefined {
  if (type !== TaskType.TOOL && type !== TaskType.AGENT) return `its type is ${type}, neither tool (1) nor agent (2)`;
  if (name.length === 0) return "it names no tool or agent";
  if (name.length > MAX_NAME_LENGTH) return `its name has ${name.length} characters, the limit is ${MAX_NAME_LENGTH}`;
  return undefined;
}

/** A worker named the task before its owner did. */
function confirm(state: SchedulerState, entry: TaskEntry, task: Task, nowMs: number): void {
  entry.task = task;
  state.counts.unconfirmed -= 1;
  const worker = entry.lease?.worker ?? entry.resultFrame?.worker;
  if (worker !== undefined && !mayRun(worker, entry)) {
    if (entry.lease === undefined) refuse(state, worker, entry.id, RefusalReason.NOT_RUNNING);
    else cancelTask(state, worker, entry.id);
    leaveState(state, entry);
    return begin(state, entry);
  }
  if (entry.state === "finished") return report(state, entry);
  if (entry.lease === undefined) return;
  entry.waitingSinceMs = Math.min(nowMs, Number(task.scheduledAtMs) || nowMs);
  queueOf(state, entry);
  confirmLease(state, entry.lease, nowMs);
}

function checkRoom(state: SchedulerState): void {
  const { tasksMax, queueFullRetryAfterMs } = state.limits;
  if (state.counts.tasks < tasksMax) return;
  throw new DomainError({
    kind: "resource_exhausted",
    reason: "QUEUE_FULL",
    message: `the scheduler holds ${state.counts.tasks} tasks and takes at most ${tasksMax}; start more workers, or start fewer executions, and open the link again`,
    metadata: { tasks: String(state.counts.tasks), limit: String(tasksMax) },
    retryAfterMs: queueFullRetryAfterMs,
  });
}
