import type { Json, JsonObject, TaskContext } from "@heddle/sdk";
import { createLogger } from "@heddle/telemetry";

const logger = createLogger({ name: "test", level: "silent" });

export interface FakeContext extends TaskContext {
  /** What the handler said of its progress. */
  readonly heartbeats: Json[];
}

/** What a handler sees of a task, without a worker. */
export function createFakeContext(fields: Partial<TaskContext> & { agent?: JsonObject } = {}): FakeContext {
  const heartbeats: Json[] = [];
  return {
    taskId: "execution/node/1",
    idempotencyKey: "execution/node/1",
    executionId: "execution",
    nodeId: "node",
    attempt: 1,
    workflowId: "workflow",
    namespace: "default",
    name: "tool",
    agent: undefined,
    traceparent: "",
    signal: new AbortController().signal,
    heartbeat: (progress) => void heartbeats.push(progress ?? null),
    logger,
    heartbeats,
    ...fields,
  };
}
