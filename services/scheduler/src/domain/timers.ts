import type { TimerNode } from "./model.ts";

/** Due times of many nodes with one timer outside: adding, moving and removing cost the same however many there are. */
export interface TimerWheel<N extends TimerNode> {
  readonly size: number;
  /** Sets when the node is due; Infinity removes it. A later time than before costs one assignment. */
  schedule(node: N, dueMs: number): void;
  cancel(node: N): void;
  /** Calls `onDue` for each node whose time has come: never early, at most one resolution late. It may schedule and cancel. */
  advance(nowMs: number, onDue: (node: N) => void): void;
}

export interface TimerWheelOptions {
  nowMs: number;
  resolutionMs: number;
  /** Nodes that are due further ahead than this many resolutions are looked at in between. Default 1024. */
  slots?: number;
}

export function createTimerWheel<N extends TimerNode>(options: TimerWheelOptions): TimerWheel<N> {
  const { resolutionMs, slots: slotCount = 1024 } = options;
  const slots = Array.from({ length: slotCount }, createList);
  let tick = Math.floor(options.nowMs / resolutionMs);
  let size = 0;

  /** Into the first slot whose time is not before the due time, so that a slot which is reached is never early. */
  function place(node: TimerNode): void {
    const dueTick = Math.ceil(node.dueMs / resolutionMs);
    const slotTick = Math.min(Math.max(dueTick, tick + 1), tick + slotCount - 1);
    append(slots[slotTick % slotCount] as TimerNode, node);
  }

  function cancel(node: TimerNode): void {
    if (node.timerNext === undefined) return;
    unlink(node);
    size -= 1;
  }

  return {
    get size() {
      return size;
    },
    schedule(node, dueMs) {
      const earlier = dueMs < node.dueMs;
      node.dueMs = dueMs;
      if (dueMs === Infinity) return cancel(node);
      if (node.timerNext === undefined) {
        size += 1;
        return place(node);
      }
      // A later time is found out when the slot is reached: heartbeats move it ten times before it is ever due.
      if (earlier) {
        unlink(node);
        place(node);
      }
    },
    cancel,
    advance(nowMs, onDue) {
      const target = Math.floor(nowMs / resolutionMs);
      // After a long stop every slot is looked at once, not once for each missed round.
      const first = Math.max(tick + 1, target - slotCount + 1);
      const reached = createList();
      for (let each = first; each <= target; each++) moveAll(slots[each % slotCount] as TimerNode, reached);
      tick = Math.max(tick, target);
      for (let node = reached.timerNext; node !== reached; node = reached.timerNext) {
        unlink(node as N);
        if ((node as N).dueMs > nowMs) {
          place(node as N);
        } else {
          size -= 1;
          onDue(node as N);
        }
      }
    },
  };
}

/** A ring with one node that is none: neither adding nor removing has a special case. */
function createList(): TimerNode {
  const list: TimerNode = { dueMs: Infinity, timerPrevious: undefined, timerNext: undefined };
  list.timerPrevious = list;
  list.timerNext = list;
  return list;
}

function append(list: TimerNode, node: TimerNode): void {
  const last = list.timerPrevious as TimerNode;
  node.timerPrevious = last;
  node.timerNext = list;
  last.timerNext = node;
  list.timerPrevious = node;
}

function unlink(node: TimerNode): void {
  (node.timerPrevious as TimerNode).timerNext = node.timerNext;
  (node.timerNext as TimerNode).timerPrevious = node.timerPrevious;
  node.timerPrevious = undefined;
  node.timerNext = undefined;
}

function moveAll(from: TimerNode, to: TimerNode): void {
  const first = from.timerNext as TimerNode;
  if (first === from) return;
  const last = from.timerPrevious as TimerNode;
  const end = to.timerPrevious as TimerNode;
  end.timerNext = first;
  first.timerPrevious = end;
  last.timerNext = to;
  to.timerPrevious = last;
  from.timerNext = from;
  from.timerPrevious = from;
}
