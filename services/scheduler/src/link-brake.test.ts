import { afterEach, describe, expect, it, vi } from "vitest";
import { createSchedulerState } from "./domain/state.ts";
import { createLinkBrake } from "./link-brake.ts";
import { defaultLimits } from "./limits.ts";

function brakeAt(waiting: number, finished: number) {
  const limits = { ...defaultLimits, linkSlowdownTasks: 10, linkPauseMs: 100 };
  const state = createSchedulerState({ limits, epoch: 1n, nowMs: 0 });
  state.counts.waiting = waiting;
  state.counts.finished = finished;
  return { state, brake: createLinkBrake(state) };
}

describe("the brake of links", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("does nothing while there is room", () => {
    expect(brakeAt(5, 4).brake.pause()).toBeUndefined();
  });

  it("pauses until there is room", async () => {
    vi.useFakeTimers();
    const { state, brake } = brakeAt(5, 5);
    let resumed = false;
    const paused = brake.pause()?.then(() => {
      resumed = true;
    });
    brake.check();
    await Promise.resolve();
    expect(resumed).toBe(false);
    state.counts.finished = 4;
    brake.check();
    await paused;
    expect(resumed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets one frame after another through all the same: what makes room may be behind it", async () => {
    vi.useFakeTimers();
    const { brake } = brakeAt(50, 0);
    const paused = brake.pause();
    expect(paused).toBeInstanceOf(Promise);
    vi.advanceTimersByTime(100);
    await paused;
  });

  it("leaves no timer when it is released", async () => {
    vi.useFakeTimers();
    const { brake } = brakeAt(50, 0);
    const [first, second] = [brake.pause(), brake.pause()];
    brake.release();
    await first;
    await second;
    expect(vi.getTimerCount()).toBe(0);
  });
});
