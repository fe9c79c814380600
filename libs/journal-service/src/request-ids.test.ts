import { afterEach, describe, expect, it, vi } from "vitest";
import { requestIdMemoryMs } from "./limits.ts";
import { createRequestIds } from "./request-ids.ts";

afterEach(() => vi.useRealTimers());

describe("request ids", () => {
  it("find a start under way, and forget it when it fails", async () => {
    const ids = createRequestIds();
    const failing = Promise.reject(new Error("no"));
    ids.begin("default", "a", failing);
    expect(ids.find("default", "a")).toBe(failing);
    await expect(failing).rejects.toThrow("no");
    expect(ids.find("default", "a")).toBeUndefined();
    expect(ids.find("other", "a")).toBeUndefined();
  });

  it("know a committed start although its own call has failed", async () => {
    const ids = createRequestIds();
    const failing = Promise.reject(new Error("the outcome is unknown"));
    ids.begin("default", "a", failing);
    ids.add("default", "a", "execution-1");
    await expect(failing).rejects.toThrow("the outcome is unknown");
    expect(ids.committed("default", "a")).toBe("execution-1");
    await expect(ids.find("default", "a")).resolves.toBe("execution-1");
  });

  it("forget what has gone to another process", async () => {
    const ids = createRequestIds();
    for (const key of ["a", "b"]) {
      ids.begin("default", key, Promise.resolve(`execution-${key}`));
      ids.add("default", key, `execution-${key}`);
    }
    ids.forget((id) => id === "execution-a");
    expect(ids.committed("default", "a")).toBeUndefined();
    expect(ids.find("default", "a")).toBeUndefined();
    await expect(ids.find("default", "b")).resolves.toBe("execution-b");
  });

  it("forget an execution some time after it is projected, and not before", () => {
    vi.useFakeTimers();
    const ids = createRequestIds();
    ids.add("default", "a", "execution-1");
    ids.release("default", "a");
    vi.advanceTimersByTime(requestIdMemoryMs - 1);
    expect(ids.committed("default", "a")).toBe("execution-1");
    vi.advanceTimersByTime(1);
    expect(ids.committed("default", "a")).toBeUndefined();
    expect(ids.find("default", "a")).toBeUndefined();
  });
});
