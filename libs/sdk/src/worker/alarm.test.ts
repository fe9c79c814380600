import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { backoffMs } from "../backoff.ts";
import { createAlarm } from "./alarm.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("rings once at the earliest time that was asked for, and again when it is asked again", () => {
  const rings: number[] = [];
  const start = performance.now();
  const alarm = createAlarm((now) => rings.push(now - start));
  alarm.ringBy(start + 500);
  alarm.ringBy(start + 200);
  alarm.ringBy(start + 300);
  vi.advanceTimersByTime(1_000);
  expect(rings).toEqual([200]);
  alarm.ringBy(start + 1_100);
  alarm.ringBy(Number.NEGATIVE_INFINITY);
  vi.advanceTimersByTime(1_000);
  expect(rings).toEqual([200, 1_000]);
});

it("reaches times beyond what a timer can hold, and is silent after stop", () => {
  const ring = vi.fn<(now: number) => void>();
  const alarm = createAlarm(ring);
  alarm.ringBy(performance.now() + 2 ** 31 + 5_000);
  vi.advanceTimersByTime(2 ** 31);
  expect(ring).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5_000);
  expect(ring).toHaveBeenCalledTimes(1);
  alarm.ringBy(performance.now() + 10);
  alarm.stop();
  vi.advanceTimersByTime(1_000);
  expect(ring).toHaveBeenCalledTimes(1);
});

it("waits longer after each failure, within its bounds", () => {
  const waits = [1, 2, 3, 4, 10, 1_000].map((failures) => backoffMs(failures, 50, 2_000, () => 1));
  expect(waits).toEqual([50, 100, 200, 400, 2_000, 2_000]);
  expect(backoffMs(3, 50, 2_000, () => 0)).toBe(100);
});
