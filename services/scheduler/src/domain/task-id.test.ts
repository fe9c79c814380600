import { describe, expect, it } from "vitest";
import { executionIdOf, partitionIndex } from "./task-id.ts";

describe("task ids", () => {
  it.each([
    ["01900000-0000-7000-8000-000000000000/a/1", 0],
    ["01900000-0000-7000-8000-00000000003f/a/1", 63],
    ["01900000-0000-7000-8000-000000000040/a/1", 0],
    ["01900000-0000-7000-8000-0000000000ff/a/1", 63],
    ["01900000-0000-7000-8000-0000000000d1/b/1", 17],
  ])("%s is in partition %i", (taskId, partition) => expect(partitionIndex(taskId)).toBe(partition));

  it("of any form have a partition, always the same", () => {
    for (const taskId of ["", "x", "not a uuid at all, and longer than one is", "ß".repeat(40)]) {
      const partition = partitionIndex(taskId);
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(64);
    }
  });

  it("begin with the id of the execution", () => {
    expect(executionIdOf("e/node/with/slashes/1")).toBe("e");
    expect(executionIdOf("e")).toBe("e");
  });
});
