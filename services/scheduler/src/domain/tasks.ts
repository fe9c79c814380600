import type { Task, TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { endLease } from "./leases.ts";
import { failedResult, type OwnFailure } from "./messages.ts";
import type { Partition, TaskEntry, Worker, WorkerFrame } from "./model.ts";
import { cancelTask } from "./refusals.ts";
import { getNamespace, type SchedulerState } from "./state.ts";
import { DEFAULT_NAMESPACE, getQueue, updateServable } from "./namespace.ts";
import { dequeue, enqueue, requeue } from "./queue.ts";
import { kindOf } from "./task-kind.ts";
import { settleFrame } from "./worker-frames.ts";

/** A new entry in no state's structures yet: the caller makes it wait, lets it run or finishes it. */
export function createEntry(
  state: SchedulerState,
  partition: Partition,
  id: string,
  task: Task | undefined,
): TaskEntry {
  const entry: TaskEntry = {
    id,
    partition,
    state: "recovering",
    task,
    queue: undefined,
    waitingSinceMs: 0,
    previous: undefined,
    next: undefined,
    lease: undefined,
    lastToken: 0n,
    losses: 0,
    result: undefined,
    resultFrame: undefined,
    reportedTo: undefined,
    syncMark: 0,
    queueDeadline: undefined,
  };
  partition.tasks.set(id, entry);
  state.counts.tasks += 1;
  if (task === undefined) state.counts.unconfirmed += 1;
  return entry;
}

/** Puts the entry into its queue. `sinceMs`: from when on its time there is counted. */
export function startWaiting(
  state: SchedulerState,
  entry: TaskEntry,
  place: "first" | "last",
  sinceMs = entry.waitingSinceMs,
): void {
  const queue = queueOf(state, entry);
  entry.state = "waiting";
  if (place === "first") requeue(queue, entry);
  else enqueue(queue, entry);
  state.counts.waiting += 1;
  if (queue.waiting === 1) updateServable(queue);
  state.admissible.add(queue.namespace);
  limitWait(state, entry, sinceMs);
}

function limitWait(state: SchedulerState, entry: TaskEntry, sinceMs: number): void {
  const timeoutMs = Number(entry.task?.queueTimeoutMs ?? 0n);
  if (timeoutMs === 0) return;
  entry.queueDeadline = { entry, dueMs: Infinity, timerPrevious: undefined, timerNext: undefined };
  state.queueTimers.schedule(entry.queueDeadline, sinceMs + timeoutMs);
}

export function stopWaiting(state: SchedulerState, entry: TaskEntry): void {
  const { queue } = entry;
  if (queue === undefined) return;
  dequeue(queue, entry);
  state.counts.waiting -= 1;
  if (entry.queueDeadline !== undefined) {
    state.queueTimers.cancel(entry.queueDeadline);
    entry.queueDeadline = undefined;
  }
  if (queue.waiting === 0) updateServable(queue);
}

/** The queue of the entry's task, found anew for each stay in it: idle queues are let go. */
export function queueOf(state: SchedulerState, entry: TaskEntry) {
  const task = entry.task as Task;
  const namespace = getNamespace(state, task.namespace);
  entry.queue = getQueue(namespace, kindOf(task), state.limits.idleQueuesMax);
  return entry.queue;
}

/** The entry has its result; its owner gets it when it is connected, and again at every sync until it acknowledges. */
export function finish(state: SchedulerState, entry: TaskEntry, result: TaskResult, frame?: WorkerFrame): void {
  leaveState(state, entry);
  entry.state = "finished";
  entry.result = result;
  entry.resultFrame = frame;
  if (frame !== undefined) frame.open += 1;
  state.counts.finished += 1;
  if (entry.task !== undefined) report(state, entry);
}

/** Ends the task with a failure that the scheduler itself found; a worker that runs it is told to stop. */
export function fail(state: SchedulerState, entry: TaskEntry, failure: OwnFailure): void {
  const { lease } = entry;
  const result = failedResult(entry.id, failure, lease?.startedAtMs ?? 0, lease?.worker.id ?? "");
  if (lease !== undefined) cancelTask(state, lease.worker, entry.id);
  finish(state, entry, result);
}

/** Gives the result to the owner of the partition, if it is connected. */
export function report(state: SchedulerState, entry: TaskEntry): void {
  const { owner } = entry.partition;
  if (owner === undefined || !owner.connected || entry.reportedTo === owner) return;
  entry.reportedTo = owner;
  owner.results.push(entry);
  state.filled.add(owner);
}

/** Nobody wants the task any longer, or its result is durable: every trace of it goes. */
export function forget(state: SchedulerState, entry: TaskEntry): void {
  if (entry.lease !== undefined) cancelTask(state, entry.lease.worker, entry.id);
  leaveState(state, entry);
  entry.partition.tasks.delete(entry.id);
  state.counts.tasks -= 1;
  if (entry.task === undefined) state.counts.unconfirmed -= 1;
}

/** Takes the entry out of whatever holds it, so that it may go into another state. */
export function leaveState(state: SchedulerState, entry: TaskEntry): void {
  switch (entry.state) {
    case "recovering":
      return;
    case "waiting":
      return stopWaiting(state, entry);
    case "running":
      if (entry.lease !== undefined) endLease(state, entry.lease);
      return;
    case "finished":
      state.counts.finished -= 1;
      if (entry.resultFrame !== undefined) settleFrame(state, entry.resultFrame);
      entry.result = undefined;
      entry.resultFrame = undefined;
      entry.reportedTo = undefined;
  }
}

/** Tokens can be guessed; what belongs to another namespace cannot be taken with one. */
export function mayRun(worker: Worker, { task }: TaskEntry): boolean {
  return task === undefined || (task.namespace || DEFAULT_NAMESPACE) === worker.namespace.name;
}
