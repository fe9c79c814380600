import { DomainError, type FieldViolation } from "@heddle/errors";
import type { HumanTaskState } from "./human-task.ts";
import type { Json } from "./json.ts";
import { findSizeFault } from "./payload-size.ts";
import { payloadTooLarge } from "./refusals.ts";

// Every way in which a human task says no.

export function humanTaskNotFound(taskId: string): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "HUMAN_TASK_NOT_FOUND",
    message: `there is no task ${taskId}; ListHumanTasks shows those that there are`,
    metadata: { task_id: taskId },
  });
}

/** The first answer has won: who comes later is told whose it was. */
export function refuseClosed(taskId: string, { status, answers }: HumanTaskState): DomainError {
  const by = answers.at(-1)?.by;
  const how =
    status === "completed"
      ? `it was answered by ${answers.map((answer) => answer.by).join(", ")}`
      : status === "expired"
        ? "its deadline has passed"
        : "its execution does not wait for it any more";
  return new DomainError({
    kind: "failed_precondition",
    reason: "HUMAN_TASK_CLOSED",
    message: `task ${taskId} is over: ${how}`,
    metadata: { task_id: taskId, status, ...(status === "completed" && by !== undefined && { answered_by: by }) },
  });
}

export function refuseHeld(taskId: string, { status, assignee = "" }: HumanTaskState, by: string): DomainError {
  const how = status === "claimed" ? "is claimed by" : "is assigned to";
  return new DomainError({
    kind: "failed_precondition",
    reason: "HUMAN_TASK_HELD",
    message: `task ${taskId} ${how} ${assignee}, not ${by}; reassign it first`,
    metadata: { task_id: taskId, assignee },
  });
}

export function refuseSeveral(taskId: string, of: number, what: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "HUMAN_TASK_NEEDS_SEVERAL",
    message: `task ${taskId} ${what}: up to ${of} people answer it, each without claiming it`,
    metadata: { task_id: taskId },
  });
}

export function refuseAnswer(
  taskId: string,
  reason: "ANSWER_INVALID" | "HUMAN_TASK_ANSWERED_BEFORE",
  message: string,
  violations?: FieldViolation[],
): DomainError {
  return new DomainError({
    kind: reason === "ANSWER_INVALID" ? "invalid_argument" : "failed_precondition",
    reason,
    message: `task ${taskId}: ${message}`,
    metadata: { task_id: taskId },
    ...(violations !== undefined && { violations }),
  });
}

/** @throws DomainError PAYLOAD_TOO_LARGE */
export function checkPayloadSize(what: string, value: Json, maxBytes: number): void {
  const fault = findSizeFault(value, maxBytes);
  if (fault !== undefined) throw payloadTooLarge(what, fault);
}
