import { describe, expect, it, vi } from "vitest";
import { createExecutionAggregate } from "./aggregate.ts";

describe("a start whose request id is taken when it is decided", () => {
  it("is refused with the execution that has it", () => {
    const aggregate = createExecutionAggregate({ get: vi.fn(), load: vi.fn() }, () => "");
    const start = {
      namespace: "default",
      workflowId: "w",
      version: 1,
      input: {},
      requestId: "a",
      priority: 5,
      labels: {},
    };
    const command = { type: "start", plan: {} as never, findTaken: () => "execution-1", start } as const;
    expect(() => aggregate.decide(undefined, command, { id: "execution-2", now: 1 })).toThrow(
      expect.objectContaining({ reason: "EXECUTION_ALREADY_STARTED", metadata: { taken_by: "execution-1" } }),
    );
  });
});
