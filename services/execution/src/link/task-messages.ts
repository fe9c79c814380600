import { create } from "@bufbuild/protobuf";
import type { Command, Failure, Json, TaskObligation } from "@heddle/engine";
import type { Failure as ProtoFailure } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import { PayloadSchema, type Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import { type Task, type TaskResult, TaskSchema, TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { Execution } from "../domain/aggregate.ts";

/** An id is 36 characters of UUID; node ids hold no slash. */
const EXECUTION_ID_LENGTH = 36;

/** The task that stands for one attempt; its id is the attempt's idempotency key. */
export function toTask(execution: Execution, task: TaskObligation, now: number): Task {
  const message = create(TaskSchema);
  message.taskId = task.idempotencyKey;
  message.namespace = execution.state.namespace;
  message.type = task.taskType === "agent" ? TaskType.AGENT : TaskType.TOOL;
  message.name = task.taskName;
  message.input = toPayload(task.input);
  if (task.agent !== undefined) message.agent = toPayload(task.agent);
  message.priority = task.priority;
  message.timeoutMs = BigInt(task.timeoutMs ?? 0);
  message.heartbeatTimeoutMs = BigInt(task.heartbeatTimeoutMs ?? 0);
  message.queueTimeoutMs = BigInt(task.queueTimeoutMs ?? 0);
  message.progressTimeoutMs = BigInt(task.progressTimeoutMs ?? 0);
  message.scheduledAtMs = BigInt(Math.round(task.scheduledAt ?? now));
  message.workflowId = execution.state.workflowId;
  message.traceparent = execution.state.traceparent ?? "";
  return message;
}

export interface TaskKey {
  executionId: string;
  nodeId: string;
  attempt: number;
}

/** Undefined when the text is no task id of ours. */
export function parseTaskId(taskId: string): TaskKey | undefined {
  const end = taskId.lastIndexOf("/");
  if (end <= EXECUTION_ID_LENGTH || taskId[EXECUTION_ID_LENGTH] !== "/") return undefined;
  const attempt = Number(taskId.slice(end + 1));
  if (!Number.isSafeInteger(attempt) || attempt < 1) return undefined;
  return {
    executionId: taskId.slice(0, EXECUTION_ID_LENGTH),
    nodeId: taskId.slice(EXECUTION_ID_LENGTH + 1, end),
    attempt,
  };
}

export function taskIdOf(executionId: string, nodeId: string, attempt: number): string {
  return `${executionId}/${nodeId}/${attempt}`;
}

/** The command that a worker's result is. An output that is no JSON fails the attempt: the worker is at fault. */
export function toResultCommand(key: TaskKey, result: TaskResult): Command {
  const { nodeId, attempt } = key;
  const startedAt = Number(result.startedAtMs);
  const { worker } = result;
  const fail = (failure: Failure): Command => ({
    type: "fail_task",
    nodeId,
    attempt,
    failure,
    ...(startedAt > 0 && { startedAt }),
    ...(worker !== "" && { worker }),
  });
  if (result.failure !== undefined) return fail(toFailure(result.failure));
  const output = parsePayload(result.output);
  if (output === undefined) {
    return fail({ type: "invalid_output", message: `the output of worker ${worker} is not JSON`, retryable: false });
  }
  return { type: "complete_task", nodeId, attempt, output, startedAt, worker };
}

function toFailure(failure: ProtoFailure): Failure {
  const details = failure.details === undefined ? undefined : parsePayload(failure.details);
  return {
    type: failure.type === "" ? "error" : failure.type,
    message: failure.message,
    ...(failure.nonRetryable && { retryable: false }),
    ...(failure.business && { business: true }),
    ...(failure.retryAfterMs > 0n && { retryAfterMs: Number(failure.retryAfterMs) }),
    ...(details !== undefined && { details }),
  };
}

function toPayload(value: Json): Payload {
  const payload = create(PayloadSchema);
  payload.form = { case: "json", value: JSON.stringify(value) };
  return payload;
}

function parsePayload(payload: Payload | undefined): Json | undefined {
  if (payload?.form.case !== "json") return payload?.form.case === undefined ? null : undefined;
  try {
    return JSON.parse(payload.form.value) as Json;
  } catch {
    return undefined;
  }
}
