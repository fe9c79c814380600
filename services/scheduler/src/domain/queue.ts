import type { Lane, Namespace, TaskEntry, TaskQueue } from "./model.ts";
import type { TaskKind } from "./task-kind.ts";

/** 0 (first) to 9 (last). */
export const PRIORITIES = 10;

export function queueKey({ type, name, described }: TaskKind): string {
  return described ? `${type}:described:${name}` : `${type}::${name}`;
}

export function createQueue(namespace: Namespace, { type, name, described }: TaskKind): TaskQueue {
  return {
    namespace,
    type,
    name,
    described,
    lanes: Array.from({ length: PRIORITIES }, () => ({ head: undefined, tail: undefined })),
    occupied: 0,
    waiting: 0,
    running: 0,
    servedAtMs: 0,
    offers: [],
  };
}

/** Adds the entry behind all others of its priority. */
export function enqueue(queue: TaskQueue, entry: TaskEntry): void {
  const priority = priorityOf(entry);
  const lane = queue.lanes[priority] as Lane;
  entry.previous = lane.tail;
  entry.next = undefined;
  if (lane.tail === undefined) lane.head = entry;
  else lane.tail.next = entry;
  lane.tail = entry;
  queue.occupied |= 1 << priority;
  queue.waiting += 1;
}

/** Adds the entry before all others of its priority: it was delivered before and has waited longest. */
export function requeue(queue: TaskQueue, entry: TaskEntry): void {
  const priority = priorityOf(entry);
  const lane = queue.lanes[priority] as Lane;
  entry.previous = undefined;
  entry.next = lane.head;
  if (lane.head === undefined) lane.tail = entry;
  else lane.head.previous = entry;
  lane.head = entry;
  queue.occupied |= 1 << priority;
  queue.waiting += 1;
}

/** Takes an entry out, wherever it stands. */
export function dequeue(queue: TaskQueue, entry: TaskEntry): void {
  const priority = priorityOf(entry);
  const lane = queue.lanes[priority] as Lane;
  if (entry.previous === undefined) lane.head = entry.next;
  else entry.previous.next = entry.next;
  if (entry.next === undefined) lane.tail = entry.previous;
  else entry.next.previous = entry.previous;
  entry.previous = undefined;
  entry.next = undefined;
  if (lane.head === undefined) queue.occupied &= ~(1 << priority);
  queue.waiting -= 1;
}

/**
 * The entry that is next: the first of its priority whose rank is lowest. Ageing needs no timer, because waiting
 * `ageingStepMs` longer is worth the same as one step of priority: the order of two entries never changes.
 */
export function firstEntry(queue: TaskQueue, ageingStepMs: number): TaskEntry | undefined {
  let first: TaskEntry | undefined;
  for (let lanes = queue.occupied; lanes !== 0; lanes &= lanes - 1) {
    const head = (queue.lanes[31 - Math.clz32(lanes & -lanes)] as Lane).head as TaskEntry;
    if (first === undefined || rankOf(head, ageingStepMs) < rankOf(first, ageingStepMs)) first = head;
  }
  return first;
}

/** Entries with a lower rank are delivered first. */
export function rankOf(entry: TaskEntry, ageingStepMs: number): number {
  return entry.waitingSinceMs + priorityOf(entry) * ageingStepMs;
}

export function priorityOf(entry: TaskEntry): number {
  return Math.min(entry.task?.priority ?? 0, PRIORITIES - 1);
}

/** Every waiting entry, lane by lane. */
export function* listEntries(queue: TaskQueue): Generator<TaskEntry> {
  for (const lane of queue.lanes) {
    for (let entry = lane.head; entry !== undefined; entry = entry.next) yield entry;
  }
}
