import fc from "fast-check";
import { expect, test } from "vitest";
import { createTimerHeap } from "./timer-heap.ts";

const drain = (heap: ReturnType<typeof createTimerHeap<number>>, now: number): number[] => {
  const due: number[] = [];
  for (let entry = heap.popDue(now); entry !== undefined; entry = heap.popDue(now)) due.push(entry.dueAt);
  return due;
};

test("entries come up in the order of their times, and none before it", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (times, now) => {
      const heap = createTimerHeap<number>();
      times.forEach((dueAt, index) => heap.push(dueAt, index));
      const sorted = [...times].sort((a, b) => a - b);
      expect(heap.peek()).toBe(sorted[0]);
      expect(drain(heap, now)).toEqual(sorted.filter((dueAt) => dueAt <= now));
      expect(heap.size).toBe(sorted.filter((dueAt) => dueAt > now).length);
    }),
  );
});

test("a replaced heap holds the new entries only", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.array(fc.integer()), (before, after) => {
      const heap = createTimerHeap<number>();
      before.forEach((dueAt, index) => heap.push(dueAt, index));
      heap.replace(after.map((dueAt, item) => ({ dueAt, item })));
      expect(drain(heap, Number.POSITIVE_INFINITY)).toEqual([...after].sort((a, b) => a - b));
    }),
  );
});
