import type { ExecutionState } from "./execution-state.ts";

// A binary heap of (due time, node) in one flat list of numbers: [due, node, due, node, ...]. It is plain data, so a
// snapshot holds it as it is. An entry whose node no longer waits for that time is dead; dead entries leave when they
// come to the top, and the top is never dead.

/** Puts a node's time on the heap. */
export function pushTimer(state: ExecutionState, dueAt: number, node: number): void {
  const heap = state.timers;
  let at = heap.length;
  heap.push(dueAt, node);
  while (at > 0) {
    const parent = ((at / 2 - 1) >> 1) * 2;
    if (!precedes(dueAt, node, heap, parent)) break;
    heap[at] = heap[parent] as number;
    heap[at + 1] = heap[parent + 1] as number;
    at = parent;
  }
  heap[at] = dueAt;
  heap[at + 1] = node;
}

/** Drops dead entries from the top. To be called whenever a node stops waiting for its time. */
export function pruneTimers(state: ExecutionState): void {
  while (state.timers.length > 0 && isDead(state)) popTimer(state.timers);
}

/** The earliest time that a node waits for, milliseconds since the epoch. */
export function peekTimer(state: ExecutionState): number | undefined {
  return state.timers[0];
}

/** The node that waits for the earliest time; of several the first in the plan. */
export function peekTimerNode(state: ExecutionState): number {
  return state.timers[1] as number;
}

function isDead(state: ExecutionState): boolean {
  const node = state.nodes[peekTimerNode(state)];
  if (node === undefined || node.dueAt !== state.timers[0]) return true;
  return node.status !== "backing_off" && node.status !== "waiting" && node.status !== "scheduled";
}

function popTimer(heap: number[]): void {
  const node = heap.pop() as number;
  const dueAt = heap.pop() as number;
  const end = heap.length;
  if (end === 0) return;
  let at = 0;
  for (;;) {
    let child = at * 2 + 2;
    if (child >= end) break;
    if (child + 2 < end && precedes(heap[child + 2] as number, heap[child + 3] as number, heap, child)) child += 2;
    if (precedes(dueAt, node, heap, child)) break;
    heap[at] = heap[child] as number;
    heap[at + 1] = heap[child + 1] as number;
    at = child;
  }
  heap[at] = dueAt;
  heap[at + 1] = node;
}

function precedes(dueAt: number, node: number, heap: number[], other: number): boolean {
  const otherDueAt = heap[other] as number;
  return dueAt < otherDueAt || (dueAt === otherDueAt && node < (heap[other + 1] as number));
}
