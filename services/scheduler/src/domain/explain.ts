import type { WaitReasonKind } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { GATES } from "./admit.ts";
import { admissionContext } from "./deliver.ts";
import type { TaskEntry, TaskQueue } from "./model.ts";
import { listEntries, rankOf } from "./queue.ts";
import { findTask, partitionOf, type SchedulerState } from "./state.ts";
import { queueOf } from "./tasks.ts";
import { executionIdOf } from "./task-id.ts";

export interface WaitExplanation {
  taskId: string;
  /** A worker has it, or it has ended: there is nothing to wait for. */
  running: boolean;
  reasons: { kind: WaitReasonKind; message: string }[];
  /** From 1; 0 when it does not wait. */
  rank: number;
}

/** Why a task, or the first waiting one of an execution, is not running yet: the gates of the admission itself. */
export function explainWait(state: SchedulerState, taskId: string, nowMs: number): WaitExplanation | undefined {
  const entry = findTask(state, taskId) ?? findFirstOf(state, taskId);
  if (entry === undefined) return undefined;
  if (entry.task === undefined || entry.state === "running" || entry.state === "finished") {
    return { taskId: entry.id, running: true, reasons: [], rank: 0 };
  }
  const queue = queueOf(state, entry);
  const context = admissionContext(state, nowMs);
  const reasons = GATES.filter((gate) => gate.blocks(entry, queue, context)).map((gate) => ({
    kind: gate.kind,
    message: gate.explain(entry, queue, context),
  }));
  return { taskId: entry.id, running: false, reasons, rank: placeOf(entry, queue, state.limits.ageingStepMs) };
}

/** The first waiting task of an execution, or a running one when none waits. */
function findFirstOf(state: SchedulerState, executionId: string): TaskEntry | undefined {
  if (executionIdOf(executionId) !== executionId) return undefined;
  const { ageingStepMs } = state.limits;
  let first: TaskEntry | undefined;
  let running: TaskEntry | undefined;
  for (const entry of partitionOf(state, executionId).tasks.values()) {
    if (executionIdOf(entry.id) !== executionId || entry.state === "finished") continue;
    if (entry.state === "running") running ??= entry;
    else if (first === undefined || rankOf(entry, ageingStepMs) < rankOf(first, ageingStepMs)) first = entry;
  }
  return first ?? running;
}

/** How many waiting tasks that some of the same workers could run rank before this one, plus one. */
function placeOf(entry: TaskEntry, queue: TaskQueue, ageingStepMs: number): number {
  const pools = new Set(queue.offers.map(({ pool }) => pool));
  const rank = rankOf(entry, ageingStepMs);
  let before = 0;
  for (const other of queue.namespace.queues.values()) {
    if (other !== queue && !other.offers.some(({ pool }) => pools.has(pool))) continue;
    for (const each of listEntries(other)) {
      if (each === entry && other === queue) continue;
      const difference = rankOf(each, ageingStepMs) - rank;
      if (difference < 0 || (difference === 0 && standsBefore(each, entry))) before += 1;
    }
  }
  return before + 1;
}

/** Tasks of the same rank in the same lane keep their order; between lanes and queues it is open. */
function standsBefore(other: TaskEntry, entry: TaskEntry): boolean {
  if (other.queue !== entry.queue) return false;
  for (let each = entry.previous; each !== undefined; each = each.previous) if (each === other) return true;
  return false;
}
