import { expect, it, vi } from "vitest";
import { createPauses } from "./pauses.ts";

it("last as long as they are to, and end together when it is stopped", async () => {
  vi.useFakeTimers();
  try {
    const { pause, end } = createPauses();
    const over: string[] = [];
    for (const [name, ms] of [
      ["short", 10],
      ["long", 1_000],
      ["longer", 2_000],
    ] as const)
      void pause(ms).then(() => over.push(name));
    await vi.advanceTimersByTimeAsync(10);
    expect(over).toEqual(["short"]);
    end();
    await vi.advanceTimersByTimeAsync(0);
    expect(over).toEqual(["short", "long", "longer"]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
