export type { Json, JsonObject } from "./json.ts";
export type { HandlerDefinition, Handlers, TaskContext, TaskHandler } from "./worker/handler.ts";
export { TaskError, type TaskErrorOptions } from "./worker/task-error.ts";
export { createWorker, type CreateWorkerOptions, type Worker, type WorkerStats } from "./worker/worker.ts";
export { DEFAULT_WORKER_LIMITS, type WorkerLimits } from "./limits.ts";
