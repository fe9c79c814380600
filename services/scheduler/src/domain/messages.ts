import type { Task, TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { Failure } from "@heddle/proto/heddle/common/v1/failure_pb.js";

/*
 * Messages are written out as complete literals: they are made for every task, and `create()` walks the descriptor of the
 * type each time. Payloads are passed on by reference and never changed, because the sender may still hold them.
 */

/** The task as one worker gets it. */
export function deliveredTask(task: Task, fencingToken: bigint): Task {
  return {
    $typeName: "heddle.scheduler.v1.Task",
    taskId: task.taskId,
    namespace: task.namespace,
    type: task.type,
    name: task.name,
    input: task.input,
    agent: task.agent,
    priority: task.priority,
    timeoutMs: task.timeoutMs,
    heartbeatTimeoutMs: task.heartbeatTimeoutMs,
    scheduledAtMs: task.scheduledAtMs,
    workflowId: task.workflowId,
    fencingToken,
    traceparent: task.traceparent,
    queueTimeoutMs: task.queueTimeoutMs,
    progressTimeoutMs: task.progressTimeoutMs,
  };
}

/** A worker's result as the owner gets it. */
export function workerResult(result: TaskResult, worker: string): TaskResult {
  return {
    $typeName: "heddle.scheduler.v1.TaskResult",
    taskId: result.taskId,
    fencingToken: result.fencingToken,
    output: result.output,
    failure: result.failure,
    startedAtMs: result.startedAtMs,
    worker,
  };
}

export interface OwnFailure {
  type: "timeout" | "heartbeat_timeout" | "progress_timeout" | "queue_timeout" | "worker_lost" | "task_invalid";
  message: string;
  nonRetryable?: boolean;
}

/** A result that the scheduler makes itself. `startedAtMs` is 0 when no worker began, and `worker` empty. */
export function failedResult(taskId: string, own: OwnFailure, startedAtMs: number, worker: string): TaskResult {
  const failure: Failure = {
    $typeName: "heddle.common.v1.Failure",
    type: own.type,
    message: own.message,
    nonRetryable: own.nonRetryable ?? false,
    retryAfterMs: 0n,
    nodeId: "",
    details: undefined,
    business: false,
  };
  return {
    $typeName: "heddle.scheduler.v1.TaskResult",
    taskId,
    fencingToken: 0n,
    output: undefined,
    failure,
    startedAtMs: BigInt(startedAtMs),
    worker,
  };
}
