import { create } from "@bufbuild/protobuf";
import { PayloadSchema } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import {
  type Task,
  type TaskResult,
  TaskResultSchema,
  TaskSchema,
  TaskType,
} from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import {
  HeartbeatSchema,
  HeldTaskSchema,
  WorkerHelloSchema,
} from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { LinkSyncSchema } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import { admitAll } from "../src/domain/deliver.ts";
import { acknowledgeResults, cancelTasks, closeLink, openLink, scheduleTasks, syncTasks } from "../src/domain/links.ts";
import type { Owner, Worker, WorkerOutbox } from "../src/domain/model.ts";
import { takeLinkFrames, takeWorkerFrames } from "../src/domain/outgoing.ts";
import { takeResults } from "../src/domain/results.ts";
import { createSchedulerState, type SchedulerState } from "../src/domain/state.ts";
import { tick } from "../src/domain/time.ts";
import {
  connectWorker,
  createWorkerOutbox,
  disconnectWorker,
  drainWorker,
  renewLeases,
} from "../src/domain/workers.ts";
import { checkState } from "./check-state.ts";
import { defaultLimits, type SchedulerLimits } from "../src/limits.ts";

/* The scheduler's domain with simulated owners and workers around it: no I/O, and time is a number. */

export const ALL_PARTITIONS = Array.from({ length: 64 }, (_, index) => index);

export interface SimulatedWorker {
  id: string;
  /** What it runs, as it was told: survives its streams, not its process. */
  held: Map<string, bigint>;
  /** Tokens of every delivery to it, by task. */
  delivered: { taskId: string; token: bigint }[];
  refusals: string[];
  acknowledgedFrame: bigint;
  lastFrame: bigint;
  /** Frames that were sent and not acknowledged, as it repeats them. */
  unacknowledged: Map<bigint, TaskResult[]>;
  session: { worker: Worker; outbox: WorkerOutbox } | undefined;
}

export interface SimulatedOwner {
  link: Owner | undefined;
  /** What it wants: scheduled, neither canceled nor recorded. */
  wanted: Map<string, Task>;
  /** Results that it has recorded, by task: one each. */
  recorded: Map<string, TaskResult>;
  /** Tasks whose results it has acknowledged, or that it has canceled: nobody needs to repeat them. */
  settled: Set<string>;
  /** Results that came for tasks which it does not want any longer. */
  unwanted: number;
  progress: string[];
  lastFrame: bigint;
}

/** A name, or one with the most tasks of it at once. */
type OfferedName = string | [name: string, maxConcurrent: number];

/** What a simulated worker runs. */
export interface Offered {
  tools?: OfferedName[];
  agents?: OfferedName[];
}

function capability(type: TaskType, offered: OfferedName) {
  return typeof offered === "string" ? { type, name: offered } : { type, name: offered[0], maxConcurrent: offered[1] };
}

export function createSimulation(limits: Partial<SchedulerLimits> = {}) {
  let epoch = 1n;
  let nowMs = 1_000_000;
  const allLimits = { ...defaultLimits, recoveryWindowMs: 0, ...limits };
  let state = createSchedulerState({ limits: allLimits, epoch, nowMs });
  const workers = new Map<string, SimulatedWorker>();
  /** Every delivery, in the order in which workers read them. */
  const deliveries: { taskId: string; token: bigint; worker: string }[] = [];
  /** Results that workers were told to forget. */
  const acknowledged: { taskId: string; worker: SimulatedWorker }[] = [];
  let restarts = 0;
  const owner: SimulatedOwner = {
    link: undefined,
    wanted: new Map(),
    recorded: new Map(),
    settled: new Set(),
    unwanted: 0,
    progress: [],
    lastFrame: 0n,
  };

  function worker(id: string): SimulatedWorker {
    const known = workers.get(id);
    if (known !== undefined) return known;
    const made: SimulatedWorker = {
      id,
      held: new Map(),
      delivered: [],
      refusals: [],
      acknowledgedFrame: 0n,
      lastFrame: 0n,
      unacknowledged: new Map(),
      session: undefined,
    };
    workers.set(id, made);
    return made;
  }

  /** One turn: admission, then every box is read. Afterwards everything must fit together. */
  function turn(): void {
    admitAll(state, nowMs);
    state.filled.clear();
    for (const each of workers.values()) readWorker(each);
    readOwner();
    checkState(state);
  }

  function readWorker(simulated: SimulatedWorker): void {
    const { session } = simulated;
    if (session === undefined) return;
    for (const { frame } of takeWorkerFrames(session.outbox, allLimits)) {
      if (frame.case === "tasks") {
        for (const { taskId, fencingToken } of frame.value.tasks) {
          simulated.held.set(taskId, fencingToken);
          simulated.delivered.push({ taskId, token: fencingToken });
          deliveries.push({ taskId, token: fencingToken, worker: simulated.id });
        }
      } else if (frame.case === "cancel") {
        for (const taskId of frame.value.taskIds) simulated.held.delete(taskId);
      } else if (frame.case === "refusals") {
        for (const { taskId } of frame.value.refusals) simulated.refusals.push(taskId);
      } else if (frame.case === "acknowledge") {
        simulated.acknowledgedFrame = frame.value.upToFrame;
        for (const [number, results] of simulated.unacknowledged) {
          if (number > frame.value.upToFrame) continue;
          simulated.unacknowledged.delete(number);
          acknowledged.push(...results.map(({ taskId }) => ({ taskId, worker: simulated })));
        }
      }
    }
    if (session.outbox.closed !== undefined) disconnect(simulated.id);
  }

  function readOwner(): void {
    const { link } = owner;
    if (link === undefined) return;
    for (const { frame } of takeLinkFrames(link, allLimits)) {
      if (frame.case === "progress") owner.progress.push(...frame.value.tasks.map(({ taskId }) => taskId));
      if (frame.case !== "results") continue;
      owner.lastFrame = frame.value.frame;
      for (const result of frame.value.results) record(result);
    }
  }

  function record(result: TaskResult): void {
    if (!owner.wanted.delete(result.taskId)) {
      owner.unwanted += 1;
      return;
    }
    owner.recorded.set(result.taskId, result);
  }

  function disconnect(id: string): void {
    const simulated = worker(id);
    if (simulated.session === undefined) return;
    disconnectWorker(state, simulated.session.worker, simulated.session.outbox);
    simulated.session = undefined;
  }

  return {
    get state(): SchedulerState {
      return state;
    },
    get nowMs() {
      return nowMs;
    },
    owner,
    workers,
    deliveries,
    acknowledged,
    get restarts() {
      return restarts;
    },
    worker,
    turn,
    disconnect,

    connect(
      id: string,
      options: Offered & { slots?: number; namespace?: string; startedAtMs?: number } = {},
    ): string[] {
      const simulated = worker(id);
      const { slots = 4, tools = ["echo"], agents = [], namespace = "default" } = options;
      const outbox = createWorkerOutbox(() => {});
      const hello = create(WorkerHelloSchema, {
        workerId: id,
        namespace,
        slots,
        capabilities: [
          ...tools.map((tool) => capability(TaskType.TOOL, tool)),
          ...agents.map((agent) => capability(TaskType.AGENT, agent)),
        ],
        held: [...simulated.held].map(([taskId, fencingToken]) =>
          create(HeldTaskSchema, { taskId, fencingToken, startedAtMs: BigInt(options.startedAtMs ?? 0) }),
        ),
      });
      const connected = connectWorker(state, hello, outbox, nowMs);
      simulated.session = { worker: connected.worker, outbox };
      for (const taskId of connected.droppedTaskIds) simulated.held.delete(taskId);
      // As workers do: what was not acknowledged is sent again, in its old frames.
      for (const [number, results] of simulated.unacknowledged) {
        takeResults(state, connected.worker, number, results, nowMs);
      }
      turn();
      return connected.droppedTaskIds;
    },

    drain(id: string): void {
      const { session } = worker(id);
      if (session !== undefined) drainWorker(session.worker);
      turn();
    },

    /** The worker ends tasks that it holds. Without a stream it keeps the results until it has one. */
    finish(id: string, taskIds: string[], failure?: { type: string }): void {
      const simulated = worker(id);
      const results = taskIds.flatMap((taskId) => {
        const fencingToken = simulated.held.get(taskId);
        if (fencingToken === undefined) return [];
        simulated.held.delete(taskId);
        return [create(TaskResultSchema, { taskId, fencingToken, failure })];
      });
      if (results.length === 0) return;
      simulated.lastFrame += 1n;
      simulated.unacknowledged.set(simulated.lastFrame, results);
      if (simulated.session === undefined) return;
      takeResults(state, simulated.session.worker, simulated.lastFrame, results, nowMs);
      turn();
    },

    heartbeat(id: string, options: { fromHandler?: boolean; progress?: boolean; only?: string[] } = {}): void {
      const simulated = worker(id);
      if (simulated.session === undefined) return;
      simulated.session.worker.lastSeenAtMs = nowMs;
      const heartbeats = [...simulated.held]
        .filter(([taskId]) => options.only === undefined || options.only.includes(taskId))
        .map(([taskId, fencingToken]) =>
          create(HeartbeatSchema, {
            taskId,
            fencingToken,
            fromHandler: options.fromHandler ?? false,
            ...(options.progress && { progress: { form: { case: "json", value: "1" } } }),
          }),
        );
      renewLeases(state, simulated.session.worker, heartbeats, nowMs);
      turn();
    },

    /** What happens in `during` finds workers that do not read. */
    withoutReading(id: string, during: () => void): void {
      const { session } = worker(id);
      worker(id).session = undefined;
      during();
      worker(id).session = session;
    },

    /** The owner connects and says all that it wants. */
    openLink(id = "owner"): void {
      // What it recorded is durable, whether it could still say so or not.
      for (const taskId of owner.recorded.keys()) owner.settled.add(taskId);
      owner.link = openLink(state, id, () => {}, nowMs);
      owner.lastFrame = 0n;
      const tasks = [...owner.wanted.values()];
      syncTasks(state, owner.link, create(LinkSyncSchema, { partitions: ALL_PARTITIONS, tasks, last: true }), nowMs);
      turn();
    },

    closeLink(): void {
      if (owner.link !== undefined) closeLink(state, owner.link, nowMs);
      owner.link = undefined;
    },

    /** Without a link the owner only remembers that it wants them. */
    schedule(...tasks: Task[]): void {
      for (const task of tasks) owner.wanted.set(task.taskId, task);
      if (owner.link !== undefined) scheduleTasks(state, owner.link, tasks, nowMs);
      turn();
    },

    cancel(...taskIds: string[]): void {
      for (const taskId of taskIds) {
        owner.wanted.delete(taskId);
        owner.settled.add(taskId);
      }
      if (owner.link !== undefined) cancelTasks(state, taskIds);
      turn();
    },

    acknowledge(): void {
      if (owner.link === undefined) return;
      for (const taskId of owner.recorded.keys()) owner.settled.add(taskId);
      acknowledgeResults(state, owner.link, owner.lastFrame);
      turn();
    },

    /** Time passes in steps of the timers' resolution. */
    pass(durationMs: number): void {
      for (const until = nowMs + durationMs; nowMs < until; ) {
        nowMs = Math.min(until, nowMs + allLimits.timerResolutionMs);
        tick(state, nowMs);
        turn();
      }
    },

    /** The process stands still for so long, and then runs its timers before it reads anything. */
    stall(durationMs: number): void {
      nowMs += durationMs;
      tick(state, nowMs);
      turn();
    },

    /** The scheduler is killed and starts again: everything that it knew is gone, and every stream has broken. */
    restart(): void {
      for (const each of workers.values()) each.session = undefined;
      owner.link = undefined;
      epoch += 1n;
      restarts += 1;
      state = createSchedulerState({ limits: allLimits, epoch, nowMs });
    },
  };
}

export type Simulation = ReturnType<typeof createSimulation>;

type TaskFields =
  | "type"
  | "name"
  | "agent"
  | "priority"
  | "timeoutMs"
  | "heartbeatTimeoutMs"
  | "queueTimeoutMs"
  | "progressTimeoutMs"
  | "namespace";

/** What a definition says of an agent, as it travels with a task. */
export const AGENT_DESCRIPTION = create(PayloadSchema, { form: { case: "json", value: '{"provider":"scripted"}' } });

export function task(number: number, more: Partial<Pick<Task, TaskFields>> = {}): Task {
  const partition = (number % 64).toString(16).padStart(2, "0");
  return create(TaskSchema, {
    taskId: `01900000-0000-7000-8000-${String(number).padStart(10, "0")}${partition}/node/1`,
    namespace: "default",
    type: TaskType.TOOL,
    name: "echo",
    priority: 5,
    scheduledAtMs: BigInt(1_000 + number),
    ...more,
  });
}

/** The number of a task made by `task`. */
export function numberOf(taskId: string): number {
  return Number(taskId.slice(24, 34));
}
