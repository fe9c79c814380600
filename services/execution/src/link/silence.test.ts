import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createSilenceWatch } from "./silence.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("calls a peer dead that was silent for three of the intervals that it promised, once", () => {
  const onSilent = vi.fn<() => void>();
  const watch = createSilenceWatch(onSilent);
  watch.expect(100);
  vi.advanceTimersByTime(250);
  watch.heard();
  vi.advanceTimersByTime(250);
  expect(onSilent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(onSilent).toHaveBeenCalledTimes(1);
});

it("expects nothing of a peer that promises nothing, or that is watched no longer", () => {
  const onSilent = vi.fn<() => void>();
  const watch = createSilenceWatch(onSilent);
  watch.expect(0);
  vi.advanceTimersByTime(10_000);
  watch.expect(100);
  watch.stop();
  vi.advanceTimersByTime(10_000);
  expect(onSilent).not.toHaveBeenCalled();
});

it("blames nobody for a time in which this process itself stood still", () => {
  let now = 0;
  const onSilent = vi.fn<() => void>();
  const watch = createSilenceWatch(onSilent, () => now);
  watch.expect(100);
  now = 60_000;
  vi.advanceTimersByTime(100);
  expect(onSilent).not.toHaveBeenCalled();
  for (let look = 0; look < 3; look++) {
    now += 100;
    vi.advanceTimersByTime(100);
  }
  expect(onSilent).toHaveBeenCalledTimes(1);
});
