import type { Task } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { Json, JsonObject } from "../json.ts";
import type { TaskContext } from "./handler.ts";
import type { Logger } from "@heddle/telemetry";
import type { RegisteredHandler } from "./registry.ts";

/**
 * waiting: delivered, no slot is free yet (an aborted handler that does not stop still has one).
 * running: its handler runs. aborted: nobody wants its result, but the handler may still run. ended: the handler has stopped.
 */
export type TaskRunState = "waiting" | "running" | "aborted" | "ended";

/** What a run tells its runner. */
export interface TaskRunEvents {
  onHeartbeat(run: TaskRun): void;
  readonly logger: Logger;
}

/**
 * One delivery of a task, and what its handler sees of it. What few handlers ask for (signal, logger, parts of the id) is
 * made when it is asked for: a trivial task costs one object.
 */
export class TaskRun implements TaskContext {
  /** Never changed: within one process it is the server's own object. */
  readonly task: Task;
  /** Of the newest delivery of this attempt. */
  fencingToken: bigint;
  readonly registered: RegisteredHandler;
  /** Why it must stop; set once. */
  abortReason: Error | undefined;
  state: TaskRunState = "waiting";
  /** Milliseconds since the Unix epoch; 0 while it waits. */
  startedAtMs = 0;
  /** On performance.now(); infinite when the task has no timeout. */
  deadlineAt = Number.POSITIVE_INFINITY;
  /** On performance.now(): when its handler's last sign of life was sent. */
  heartbeatSentAt = Number.NEGATIVE_INFINITY;
  /** True when the handler gave a sign of life that is not sent yet. */
  heartbeatPending = false;
  progress: Json | undefined;
  readonly #events: TaskRunEvents;
  #controller: AbortController | undefined;
  #logger: Logger | undefined;

  constructor(task: Task, registered: RegisteredHandler, events: TaskRunEvents) {
    this.task = task;
    this.fencingToken = task.fencingToken;
    this.registered = registered;
    this.#events = events;
  }

  abort(reason: Error): void {
    if (this.abortReason !== undefined) return;
    this.abortReason = reason;
    this.#controller?.abort(reason);
  }

  get taskId(): string {
    return this.task.taskId;
  }
  get idempotencyKey(): string {
    return this.task.taskId;
  }
  get executionId(): string {
    return this.taskId.slice(0, this.taskId.indexOf("/"));
  }
  /** Everything between the first and the last slash: an id may have slashes of its own. */
  get nodeId(): string {
    return this.taskId.slice(this.taskId.indexOf("/") + 1, this.taskId.lastIndexOf("/"));
  }
  get attempt(): number {
    return Number(this.taskId.slice(this.taskId.lastIndexOf("/") + 1)) || 1;
  }
  get workflowId(): string {
    return this.task.workflowId;
  }
  get namespace(): string {
    return this.task.namespace;
  }
  get name(): string {
    return this.task.name;
  }
  get agent(): JsonObject | undefined {
    const form = this.task.agent?.form;
    return form?.case === "json" ? (JSON.parse(form.value) as JsonObject) : undefined;
  }
  get traceparent(): string {
    return this.task.traceparent;
  }
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.abortReason !== undefined) this.#controller.abort(this.abortReason);
    }
    return this.#controller.signal;
  }
  get heartbeat(): (progress?: Json) => void {
    return (progress) => {
      if (this.state !== "running") return;
      this.heartbeatPending = true;
      if (progress !== undefined) this.progress = progress;
      this.#events.onHeartbeat(this);
    };
  }
  get logger(): Logger {
    this.#logger ??= this.#events.logger.child({
      taskId: this.taskId,
      workflowId: this.workflowId,
      handler: this.name,
    });
    return this.#logger;
  }
}
