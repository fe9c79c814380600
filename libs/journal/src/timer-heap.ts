/** A binary heap of due times. Entries are not removed when a timer changes: the owner compares when one comes up. */
export interface TimerHeap<T> {
  readonly size: number;
  push(dueAt: number, item: T): void;
  /** Due time of the earliest entry. */
  peek(): number | undefined;
  /** The earliest entry if it is due. */
  popDue(now: number): { dueAt: number; item: T } | undefined;
  /** Starts over with these entries, to be rid of those that no longer count. */
  replace(entries: Iterable<{ dueAt: number; item: T }>): void;
}

export function createTimerHeap<T>(): TimerHeap<T> {
  const heap: { dueAt: number; item: T }[] = [];

  const at = (index: number): { dueAt: number; item: T } => heap[index] as { dueAt: number; item: T };

  const swap = (a: number, b: number): void => {
    const entry = at(a);
    heap[a] = at(b);
    heap[b] = entry;
  };

  const siftUp = (start: number): void => {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (at(parent).dueAt <= at(index).dueAt) return;
      swap(parent, index);
      index = parent;
    }
  };

  const siftDown = (): void => {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (left < heap.length && at(left).dueAt < at(least).dueAt) least = left;
      if (right < heap.length && at(right).dueAt < at(least).dueAt) least = right;
      if (least === index) return;
      swap(index, least);
      index = least;
    }
  };

  return {
    get size() {
      return heap.length;
    },
    push(dueAt, item) {
      heap.push({ dueAt, item });
      siftUp(heap.length - 1);
    },
    peek: () => heap[0]?.dueAt,
    popDue(now) {
      const first = heap[0];
      if (first === undefined || first.dueAt > now) return undefined;
      const last = heap.pop() as { dueAt: number; item: T };
      if (heap.length > 0) {
        heap[0] = last;
        siftDown();
      }
      return first;
    },
    replace(entries) {
      heap.length = 0;
      for (const entry of entries) {
        heap.push(entry);
        siftUp(heap.length - 1);
      }
    },
  };
}
