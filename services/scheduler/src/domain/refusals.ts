import { DomainError } from "@heddle/errors";
import type { RefusalReason } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { Worker } from "./model.ts";
import type { SchedulerState } from "./state.ts";

/** Tells the worker that its result was not taken, and counts it. */
export function refuse(state: SchedulerState, worker: Worker, taskId: string, reason: RefusalReason): void {
  worker.refused += 1;
  state.counters.refused += 1;
  if (worker.status === "lost") return;
  worker.outbox.refusals.push({ $typeName: "heddle.worker.v1.Refusal", taskId, reason });
  notified(state, worker);
}

/** Tells the worker to stop the task. */
export function cancelTask(state: SchedulerState, worker: Worker, taskId: string): void {
  if (worker.status === "lost") return;
  worker.outbox.canceledTaskIds.push(taskId);
  notified(state, worker);
}

function notified(state: SchedulerState, { id, outbox }: Worker): void {
  state.filled.add(outbox);
  const unread = outbox.refusals.length + outbox.canceledTaskIds.length;
  if (unread <= state.limits.unreadNoticesMax) return;
  outbox.closed ??= new DomainError({
    kind: "resource_exhausted",
    reason: "OVERLOADED",
    message: `worker ${id} has left ${unread} notices unread; it must read its stream while it writes. Connect again`,
  });
}
