import type { Task, TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { Heartbeat, HeldTask } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { WorkerLimits } from "../limits.ts";
import { createAlarm } from "./alarm.ts";
import { encodeOutput } from "./encode-output.ts";
import { toFailure } from "./failure.ts";
import type { Logger } from "@heddle/telemetry";
import type { RegisteredHandler, Registry } from "./registry.ts";
import { TaskError } from "./task-error.ts";
import { TaskRun } from "./task-run.ts";

export interface TaskRunnerOptions {
  registry: Registry;
  slots: number;
  limits: WorkerLimits;
  logger: Logger;
  /** A task ended; its result must reach the server. */
  onResult: (result: TaskResult) => void;
  /** Some handlers gave signs of life that cannot wait for the next round of heartbeats. */
  onUrgentHeartbeats: (heartbeats: Heartbeat[]) => void;
  /** The last held task has ended or was given up. */
  onIdle: () => void;
  isConnected: () => boolean;
  /** True while no further task may begin. */
  isBlocked: () => boolean;
}

/** Runs the handlers: never more at once than there are slots, whatever the server sends. */
export interface TaskRunner {
  deliver(tasks: readonly Task[]): void;
  /** Stops these tasks and forgets them: no result is made, because nobody would take it. */
  abandon(taskIds: Iterable<string>, reason: Error): void;
  abandonAll(reason: Error): void;
  /** Begins what waits, as far as slots and `isBlocked` allow. */
  resume(): void;
  held(): HeldTask[];
  /** One for each held task, and whether its handler gave a sign of life since the last. */
  heartbeats(): Heartbeat[];
  close(): void;
  readonly stats: TaskRunnerStats;
}

export interface TaskRunnerStats {
  /** Handlers that run, aborted ones that have not stopped yet included. */
  running: number;
  /** Delivered tasks that wait for a slot. */
  waiting: number;
  completed: number;
  failed: number;
  /** Tasks that were stopped by the server, by a reconnect or by the end of the worker. */
  aborted: number;
}

/** Signs of life reach the server at least so many times in each heartbeat timeout. */
const HEARTBEATS_PER_TIMEOUT = 3;

export function createTaskRunner(options: TaskRunnerOptions): TaskRunner {
  const { registry, slots, limits, logger } = options;
  /** Tasks whose leases we have, by id. Aborted runs are not here, though their handlers may not have stopped yet. */
  const held = new Map<string, TaskRun>();
  let waiting: TaskRun[] = [];
  const stats: TaskRunnerStats = { running: 0, waiting: 0, completed: 0, failed: 0, aborted: 0 };
  const alarm = createAlarm(onRing);
  const events = { onHeartbeat, logger };
  let beginning = false;

  function deliver(tasks: readonly Task[]): void {
    for (const task of tasks) {
      const known = held.get(task.taskId);
      if (known !== undefined) {
        // The same attempt again, because the server lost sight of us: the run goes on under the newer token.
        known.fencingToken = task.fencingToken;
        continue;
      }
      const registered = registry.find(task.type, task.name);
      if (registered === undefined) {
        refuse(task);
        continue;
      }
      const run = new TaskRun(task, registered, events);
      held.set(task.taskId, run);
      // One of its kind that waits means that it may not begin either, so nobody is overtaken.
      if (mayBegin(registered)) begin(run);
      else waiting.push(run);
    }
    stats.waiting = waiting.length;
  }

  function mayBegin(registered: RegisteredHandler): boolean {
    return stats.running < slots && registered.running < registered.maxConcurrent && !options.isBlocked();
  }

  /** A loop and not a recursion: handlers may end at once, and thousands of tasks may wait. */
  function resume(): void {
    if (beginning || waiting.length === 0) return;
    beginning = true;
    const left: TaskRun[] = [];
    for (const run of waiting) {
      if (run.state === "aborted") continue;
      // A handler that is at its own limit does not hold up the others.
      if (mayBegin(run.registered)) begin(run);
      else left.push(run);
    }
    waiting = left;
    stats.waiting = left.length;
    beginning = false;
  }

  function begin(run: TaskRun): void {
    const { task, registered } = run;
    stats.running += 1;
    registered.running += 1;
    run.state = "running";
    run.startedAtMs = Date.now();
    if (task.timeoutMs > 0n) {
      run.deadlineAt = performance.now() + Number(task.timeoutMs);
      alarm.ringBy(run.deadlineAt);
    }
    try {
      const input = readInput(task);
      registered.checkInput?.(input);
      const outcome = registered.run(input, run);
      if (isThenable(outcome)) {
        outcome.then(
          (output) => succeed(run, output),
          (error: unknown) => fail(run, error),
        );
      } else succeed(run, outcome);
    } catch (error) {
      fail(run, error);
    }
  }

  function succeed(run: TaskRun, output: unknown): void {
    if (run.state !== "running") return release(run);
    let json: string;
    try {
      json = encodeOutput(output, limits);
    } catch (error) {
      return fail(run, error);
    }
    stats.completed += 1;
    finish(run, {
      $typeName: "heddle.scheduler.v1.TaskResult",
      taskId: run.task.taskId,
      fencingToken: run.fencingToken,
      output: { $typeName: "heddle.common.v1.Payload", form: { case: "json", value: json } },
      startedAtMs: BigInt(run.startedAtMs),
      worker: "",
    });
  }

  function fail(run: TaskRun, thrown: unknown): void {
    if (run.state !== "running") return release(run);
    stats.failed += 1;
    // A handler that stopped because its time was over says so with whatever error its libraries give: ours is clearer.
    const cause = run.abortReason ?? thrown;
    const failure = toFailure(cause, limits.detailsMaxBytes);
    logger.debug({ taskId: run.task.taskId, handler: run.name, err: thrown }, "task failed");
    finish(run, {
      $typeName: "heddle.scheduler.v1.TaskResult",
      taskId: run.task.taskId,
      fencingToken: run.fencingToken,
      failure,
      startedAtMs: BigInt(run.startedAtMs),
      worker: "",
    });
  }

  function finish(run: TaskRun, result: TaskResult): void {
    held.delete(run.task.taskId);
    options.onResult(result);
    release(run);
  }

  /** The handler has stopped: its slot is free. Once only, even for a promise of a library that settles twice. */
  function release(run: TaskRun): void {
    if (run.state === "ended") return;
    run.state = "ended";
    stats.running -= 1;
    run.registered.running -= 1;
    if (waiting.length > 0) resume();
    if (held.size === 0) options.onIdle();
  }

  function refuse(task: Task): void {
    stats.failed += 1;
    const error = new TaskError("handler_missing", `this worker has no handler for "${task.name}"`);
    options.onResult({
      $typeName: "heddle.scheduler.v1.TaskResult",
      taskId: task.taskId,
      fencingToken: task.fencingToken,
      failure: toFailure(error, limits.detailsMaxBytes),
      startedAtMs: 0n,
      worker: "",
    });
  }

  function abandon(taskIds: Iterable<string>, reason: Error): void {
    for (const taskId of taskIds) {
      const run = held.get(taskId);
      if (run === undefined) continue;
      held.delete(taskId);
      run.state = "aborted";
      stats.aborted += 1;
      run.abort(reason);
    }
    waiting = waiting.filter((run) => run.state === "waiting");
    stats.waiting = waiting.length;
    if (held.size === 0) options.onIdle();
  }

  function onHeartbeat(run: TaskRun): void {
    const timeoutMs = silenceMs(run);
    if (timeoutMs > 0) alarm.ringBy(dueHeartbeatAt(run, timeoutMs));
  }

  /** Aborts what is overdue, sends what is urgent, and asks for the next ring. */
  function onRing(now: number): void {
    const urgent: TaskRun[] = [];
    // Without a stream the signs of life are kept; the first frames of the next one carry them.
    const connected = options.isConnected();
    let next = Number.POSITIVE_INFINITY;
    for (const run of held.values()) {
      if (run.deadlineAt <= now) {
        run.deadlineAt = Number.POSITIVE_INFINITY;
        run.abort(new TaskError("timeout", `the task took longer than its timeout of ${run.task.timeoutMs} ms`));
      }
      next = Math.min(next, run.deadlineAt);
      const timeoutMs = silenceMs(run);
      if (!connected || !run.heartbeatPending || timeoutMs === 0) continue;
      const dueAt = dueHeartbeatAt(run, timeoutMs);
      if (dueAt <= now) urgent.push(run);
      else next = Math.min(next, dueAt);
    }
    if (Number.isFinite(next)) alarm.ringBy(next);
    if (urgent.length > 0) options.onUrgentHeartbeats(urgent.map((run) => takeHeartbeat(run, now, limits)));
  }

  return {
    deliver,
    abandon,
    abandonAll: (reason) => abandon([...held.keys()], reason),
    resume,
    held: () => Array.from(held.values(), heldTask),
    heartbeats() {
      const now = performance.now();
      return Array.from(held.values(), (run) => takeHeartbeat(run, now, limits));
    },
    close: () => alarm.stop(),
    stats,
  };
}

/** The shorter of the limits on silence; 0 when there is none. */
function silenceMs({ task }: TaskRun): number {
  const heartbeatMs = Number(task.heartbeatTimeoutMs);
  const progressMs = Number(task.progressTimeoutMs);
  return heartbeatMs === 0 || progressMs === 0 ? heartbeatMs + progressMs : Math.min(heartbeatMs, progressMs);
}

function dueHeartbeatAt(run: TaskRun, timeoutMs: number): number {
  return run.heartbeatSentAt + timeoutMs / HEARTBEATS_PER_TIMEOUT;
}

function takeHeartbeat(run: TaskRun, now: number, limits: WorkerLimits): Heartbeat {
  const { taskId, fencingToken, heartbeatPending } = run;
  const progress = encodeProgress(run.progress, limits);
  if (heartbeatPending) run.heartbeatSentAt = now;
  run.heartbeatPending = false;
  run.progress = undefined;
  return {
    $typeName: "heddle.worker.v1.Heartbeat",
    taskId,
    fencingToken,
    fromHandler: heartbeatPending,
    ...(progress !== undefined && {
      progress: { $typeName: "heddle.common.v1.Payload", form: { case: "json", value: progress } },
    }),
  };
}

/** Progress is for people who watch: what is no JSON, or too much of it, is left out, and the sign of life counts all the same. */
function encodeProgress(progress: unknown, limits: WorkerLimits): string | undefined {
  if (progress === undefined) return undefined;
  try {
    return encodeOutput(progress, { ...limits, outputMaxBytes: limits.detailsMaxBytes });
  } catch {
    return undefined;
  }
}

function heldTask({ taskId, fencingToken, startedAtMs }: TaskRun): HeldTask {
  return {
    $typeName: "heddle.worker.v1.HeldTask",
    taskId,
    fencingToken,
    startedAtMs: BigInt(startedAtMs),
  };
}

function readInput({ input }: Task): unknown {
  switch (input?.form.case) {
    case "json":
      return JSON.parse(input.form.value);
    case "reference":
      throw new TaskError(
        "input_missing",
        "the task came with a reference instead of its input; the server should have put it in",
      );
    default:
      return null;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
