import { DomainError } from "@heddle/errors";
import type { TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { RefusalReason } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { workerResult } from "./messages.ts";
import type { TaskEntry, Worker, WorkerFrame } from "./model.ts";
import { cancelTask, refuse } from "./refusals.ts";
import { partitionOf, type SchedulerState } from "./state.ts";
import { createEntry, finish, mayRun } from "./tasks.ts";
import { openFrame, settleFrame } from "./worker-frames.ts";
import { isCurrentToken } from "./workers.ts";

/**
 * Takes a frame of results. Each is accepted, refused, or kept until the owner of its partition says whether it wants it;
 * the frame is acknowledged when all that were not refused are durable with the owner.
 * @throws DomainError OVERLOADED when too many wait for owners: the worker repeats them on its next stream.
 */
export function takeResults(
  state: SchedulerState,
  worker: Worker,
  frameNumber: bigint,
  results: readonly TaskResult[],
  nowMs: number,
): void {
  const last = worker.frames.at(-1);
  const repeated = frameNumber <= worker.acknowledgedFrame || (last !== undefined && frameNumber <= last.number);
  const frame = openFrame(worker, frameNumber);
  try {
    for (const result of results) takeResult(state, worker, frame, result, repeated, nowMs);
  } finally {
    settleFrame(state, frame);
  }
}

function takeResult(
  state: SchedulerState,
  worker: Worker,
  frame: WorkerFrame,
  result: TaskResult,
  repeated: boolean,
  nowMs: number,
): void {
  const { taskId, fencingToken: token } = result;
  const partition = partitionOf(state, taskId);
  const entry = partition.tasks.get(taskId);
  if (entry === undefined) {
    if (!partition.synced && token <= state.tokens.inherited) return hold(state, worker, frame, result, nowMs);
    // It was in the frame before and is durable by now: no reason to alarm anybody.
    if (!repeated) refuse(state, worker, taskId, RefusalReason.NOT_RUNNING);
    return;
  }
  if (entry.state === "finished") return takeSecond(state, worker, entry, frame, result, repeated);
  if (!mayRun(worker, entry)) return refuse(state, worker, taskId, RefusalReason.NOT_RUNNING);
  if (!isCurrentToken(state, entry, token)) {
    const reason = token < entry.lastToken ? RefusalReason.OLD_TOKEN : RefusalReason.NOT_RUNNING;
    return refuse(state, worker, taskId, reason);
  }
  const { lease } = entry;
  if (lease !== undefined && lease.worker !== worker) {
    // The same token at two workers: only the one that it was given to speaks for it.
    if (lease.token === token) return refuse(state, worker, taskId, RefusalReason.NOT_RUNNING);
    cancelTask(state, lease.worker, taskId);
  }
  accept(state, worker, entry, frame, result);
}

function accept(state: SchedulerState, worker: Worker, entry: TaskEntry, frame: WorkerFrame, result: TaskResult): void {
  entry.lastToken = result.fencingToken;
  finish(state, entry, workerResult(result, worker.id), frame);
  worker.completed += 1;
  state.counters.completed += 1;
}

/** The scheduler has restarted, and the owner of the partition has not said yet what it wants. */
function hold(state: SchedulerState, worker: Worker, frame: WorkerFrame, result: TaskResult, nowMs: number): void {
  const { unconfirmedTasksMax } = state.limits;
  if (state.counts.unconfirmed >= unconfirmedTasksMax) {
    throw new DomainError({
      kind: "resource_exhausted",
      reason: "OVERLOADED",
      message: `${unconfirmedTasksMax} results wait for owners of executions that have not connected yet; connect again later and repeat yours`,
      retryAfterMs: state.limits.queueFullRetryAfterMs,
    });
  }
  const partition = partitionOf(state, result.taskId);
  if (partition.owner === undefined) partition.orphanedAtMs ??= nowMs;
  accept(state, worker, createEntry(state, partition, result.taskId, undefined), frame, result);
}

function takeSecond(
  state: SchedulerState,
  worker: Worker,
  entry: TaskEntry,
  frame: WorkerFrame,
  result: TaskResult,
  repeated: boolean,
): void {
  const first = entry.resultFrame;
  if (repeated && first?.worker === worker && entry.result?.fencingToken === result.fencingToken) return;
  // Nobody has seen the first one yet, and this one is of a later delivery.
  if (entry.task === undefined && first !== undefined && isCurrentToken(state, entry, result.fencingToken)) {
    if (result.fencingToken > entry.lastToken) {
      refuse(state, first.worker, entry.id, RefusalReason.OLD_TOKEN);
      return accept(state, worker, entry, frame, result);
    }
  }
  const old = result.fencingToken < entry.lastToken;
  refuse(state, worker, entry.id, old ? RefusalReason.OLD_TOKEN : RefusalReason.NOT_RUNNING);
}
