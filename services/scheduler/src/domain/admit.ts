import { WaitReasonKind } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { SchedulerLimits } from "../limits.ts";
import type { Namespace, TaskEntry, TaskQueue, Worker } from "./model.ts";
import { firstEntry, PRIORITIES, priorityOf } from "./queue.ts";
import { hasFreeSlot, isLessLoaded, leastLoaded } from "./worker-pool.ts";

/** What admission looks at besides the tasks and the workers. */
export interface AdmissionContext {
  limits: SchedulerLimits;
  nowMs: number;
  recoveryEndsAtMs: number;
}

/** A worker that may have the task, and the capability of it that covers the task. */
export interface Place {
  worker: Worker;
  capability: number;
}

/**
 * One condition that a task must meet to be delivered. Delivery asks `blocks` and stops at the first that does;
 * an explanation asks all and lets each say, in a sentence, what is missing and what would end it.
 */
export interface Gate {
  kind: WaitReasonKind;
  blocks(entry: TaskEntry, queue: TaskQueue, context: AdmissionContext): boolean;
  explain(entry: TaskEntry, queue: TaskQueue, context: AdmissionContext): string;
}

/** The strongest first. */
export const GATES: readonly Gate[] = [
  {
    kind: WaitReasonKind.NO_WORKER,
    blocks: (_entry, queue) => queue.offers.length === 0,
    explain: (_entry, queue) => explainNoWorker(queue),
  },
  {
    kind: WaitReasonKind.RECOVERY_WINDOW,
    blocks: (entry) => entry.state === "recovering",
    explain: (_entry, _queue, { recoveryEndsAtMs, nowMs }) =>
      `the scheduler has just started and lets workers name the tasks that they still hold; this ends in ${Math.max(0, Math.ceil(recoveryEndsAtMs - nowMs))} ms, or when a worker names it`,
  },
  {
    kind: WaitReasonKind.NO_FREE_SLOT,
    blocks: (_entry, queue) => queue.offers.length > 0 && findPlace(queue) === undefined,
    explain: (_entry, queue) => {
      const { workers, slots, running } = countSlots(queue);
      return `all slots for ${kindName(queue)} are in use: ${running} tasks run on ${slots} slots of ${workers} ${workers === 1 ? "worker" : "workers"}; it runs when one of them ends or another worker connects`;
    },
  },
];

function explainNoWorker(queue: TaskQueue): string {
  const nobody = `no connected worker of namespace ${queue.namespace.name} offers`;
  if (queue.type === TaskType.AGENT && !queue.described) {
    return `${nobody} the agent ${queue.name}; the workers that run any agent only take those that a definition describes under \`agents:\` or in place; it runs as soon as one connects that registers the name`;
  }
  return `${nobody} ${kindName(queue)}; it runs as soon as one connects`;
}

export function kindName({ type, name }: { type: number; name: string }): string {
  return `${type === TaskType.AGENT ? "agent" : "tool"}:${name}`;
}

/** The least loaded worker for the next task of the queue. */
function findPlace(queue: TaskQueue): Place | undefined {
  let best: Place | undefined;
  for (const { pool, capability } of queue.offers) {
    const worker = leastLoaded(pool, capability);
    if (worker === undefined) continue;
    if (best === undefined || isLessLoaded(worker, best.worker)) best = { worker, capability };
  }
  return best;
}

/**
 * Delivers what can be delivered in the namespace, by calling `deliver`, which must take the entry out of its queue and
 * one slot from the worker. Costs one look at each queue that has tasks and workers, and then the same for each delivery,
 * however many tasks wait.
 *
 * Between queues: the priority of their first tasks decides; those of the same priority take turns. A queue that was not
 * served for `ageingStepMs` counts as one priority higher, so that none starves; one that is being served does not age,
 * so that its backlog takes nothing from others. A queue whose first task is blocked holds up nobody else.
 */
export function admit(
  namespace: Namespace,
  context: AdmissionContext,
  deliver: (entry: TaskEntry, place: Place) => void,
): void {
  if (!hasRoom(namespace)) return;
  const rounds: TaskQueue[][] = Array.from({ length: PRIORITIES }, () => []);
  for (const queue of namespace.servable) rounds[urgencyOf(queue, context)]?.push(queue);
  const { ageingStepMs } = context.limits;

  for (let urgency = 0; urgency < PRIORITIES; ) {
    // The array grows while it is read: a queue that has more goes to the end of the round of its next task.
    const round = rounds[urgency] as TaskQueue[];
    const next = urgency + 1;
    let again = next;
    for (let turn = 0; turn < round.length && again === next; turn++) {
      const queue = round[turn] as TaskQueue;
      const entry = firstEntry(queue, ageingStepMs);
      const place = entry === undefined || isBlocked(entry, queue, context) ? undefined : findPlace(queue);
      if (entry === undefined || place === undefined) continue;
      deliver(entry, place);
      served(queue, context.nowMs);
      if (queue.waiting === 0) continue;
      const urgencyNow = urgencyOf(queue, context);
      rounds[urgencyNow]?.push(queue);
      if (urgencyNow < urgency) {
        rounds[urgency] = round.slice(turn + 1);
        again = urgencyNow;
      }
    }
    if (again === next) rounds[urgency] = [];
    urgency = again;
  }
}

/** Most calls find every worker busy: they must cost nothing. */
function hasRoom({ pools }: Namespace): boolean {
  for (const { workers } of pools.values()) {
    const root = workers[0];
    if (root !== undefined && hasFreeSlot(root)) return true;
  }
  return false;
}

/** Findings of the place are left out: looking for one answers the same question. */
const GATES_BEFORE_PLACE = GATES.filter(({ kind }) => kind !== WaitReasonKind.NO_FREE_SLOT);

function isBlocked(entry: TaskEntry, queue: TaskQueue, context: AdmissionContext): boolean {
  for (const gate of GATES_BEFORE_PLACE) if (gate.blocks(entry, queue, context)) return true;
  return false;
}

/** Whoever was served goes to the back, also for the next time. */
function served(queue: TaskQueue, nowMs: number): void {
  queue.servedAtMs = nowMs;
  const { servable } = queue.namespace;
  if (servable.size > 1 && servable.delete(queue)) servable.add(queue);
}

function urgencyOf(queue: TaskQueue, { limits, nowMs }: AdmissionContext): number {
  const first = firstEntry(queue, limits.ageingStepMs);
  if (first === undefined) return PRIORITIES - 1;
  const unservedMs = nowMs - Math.max(first.waitingSinceMs, queue.servedAtMs);
  return Math.max(0, priorityOf(first) - Math.floor(Math.max(0, unservedMs) / limits.ageingStepMs));
}

function countSlots(queue: TaskQueue): { workers: number; slots: number; running: number } {
  let workers = 0;
  let slots = 0;
  for (const { pool, capability } of queue.offers) {
    const max = pool.capabilities[capability]?.maxConcurrent ?? 0;
    workers += pool.workers.length;
    for (const worker of pool.workers) slots += max === 0 ? worker.slots : Math.min(max, worker.slots);
  }
  return { workers, slots, running: queue.running };
}
