import { DomainError } from "@heddle/errors";
import type { RefusalReason } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { Worker } from "./model.ts";
import type { SchedulerState } from "./state.ts";
import { retireWorker } from "./worker-registry.ts";

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

/** Ends the worker's stream from here; it gets nothing more from this moment on. */
export function endStream(state: SchedulerState, worker: Worker, error: DomainError): void {
  worker.outbox.closed ??= error;
  state.filled.add(worker.outbox);
  retireWorker(worker, "lost");
}

function notified(state: SchedulerState, worker: Worker): void {
  const { id, outbox } = worker;
  state.filled.add(outbox);
  const unread = outbox.refusals.length + outbox.canceledTaskIds.length;
  if (unread <= state.limits.unreadNoticesMax) return;
  const error = new DomainError({
    kind: "resource_exhausted",
    reason: "OVERLOADED",
    message: `worker ${id} has left ${unread} notices unread; it must read its stream while it writes. Connect again`,
  });
  endStream(state, worker, error);
}
