import type { Task, TaskResult, TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { TaskProgress } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import type { Capability, Refusal } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { DomainError } from "@heddle/errors";
import type { TaskKind } from "./task-kind.ts";

/*
 * What the scheduler knows. Everything hangs together by references and intrusive lists, so that each step of a task's
 * life costs the same however many others wait.
 */

/**
 * recovering: came by a sync soon after the start; a worker may still hold it.
 * waiting:    in its queue.
 * running:    leased to a worker.
 * finished:   has its result, which the owner has not acknowledged yet.
 */
export type TaskState = "recovering" | "waiting" | "running" | "finished";

/** One task. Gone when its owner acknowledged the result or does not want it any longer. */
export interface TaskEntry {
  readonly id: string;
  readonly partition: Partition;
  state: TaskState;
  /** Absent as long as only a worker named it: its owner has not synced since the scheduler started. */
  task: Task | undefined;
  queue: TaskQueue | undefined;
  /** When it began to wait, for the order within its queue. */
  waitingSinceMs: number;
  previous: TaskEntry | undefined;
  next: TaskEntry | undefined;
  lease: Lease | undefined;
  /** Token of the latest delivery that this scheduler knows of; 0 when none. */
  lastToken: bigint;
  /** Leases of it that ended without a result. */
  losses: number;
  result: TaskResult | undefined;
  /** The worker's frame that brought the result; none for results of the scheduler's own. */
  resultFrame: WorkerFrame | undefined;
  /** The link that the result was given to. */
  reportedTo: Owner | undefined;
  /** The latest sync that named it. */
  syncMark: number;
  /** While it waits, when its time in the queue is limited. */
  queueDeadline: QueueDeadline | undefined;
}

/** A task must have been taken by then. */
export interface QueueDeadline extends TimerNode {
  readonly entry: TaskEntry;
}

/** A task in the hands of a worker. */
export interface Lease extends TimerNode {
  readonly entry: TaskEntry;
  readonly worker: Worker;
  readonly token: bigint;
  /** When the worker began, as far as is known. */
  readonly startedAtMs: number;
  readonly grantedAtMs: number;
  /** Place in `worker.capabilities`; -1 when the task is not confirmed or nothing of the worker matches it any longer. */
  capability: number;
  /** Without a heartbeat the lease ends then. */
  expiresAtMs: number;
  /** Start to finish; Infinity when unlimited. */
  timeoutAtMs: number;
  /** The handler's own heartbeat is due then; Infinity when none is asked for. */
  silentAtMs: number;
  /** A report of progress is due then; Infinity when none is asked for. */
  idleAtMs: number;
  /** The list of leases whose progress was not reported yet, oldest first. */
  recentPrevious: Lease | undefined;
  recentNext: Lease | undefined;
  recent: boolean;
}

/** Something that is due at a time; a node of the timer wheel. */
export interface TimerNode {
  /** Infinity when nothing is due. */
  dueMs: number;
  timerPrevious: TimerNode | undefined;
  timerNext: TimerNode | undefined;
}

/**
 * Tasks of one kind in one namespace: a lane for each priority, first in first out. The same workers may have all of them,
 * so that admission asks once for the queue and not for each task.
 */
export interface TaskQueue extends TaskKind {
  readonly namespace: Namespace;
  readonly lanes: Lane[];
  /** One bit for each lane that holds tasks. */
  occupied: number;
  waiting: number;
  running: number;
  /** When it last had a task delivered: other queues of its priority come first. */
  servedAtMs: number;
  /** Pools whose workers run such tasks, with the capability that says so. */
  offers: Offer[];
}

export interface Lane {
  head: TaskEntry | undefined;
  tail: TaskEntry | undefined;
}

export interface Offer {
  readonly pool: WorkerPool;
  readonly capability: number;
}

/** Workers of one namespace with exactly the same capabilities. */
export interface WorkerPool {
  readonly signature: string;
  readonly capabilities: readonly PoolCapability[];
  /** Workers that take tasks, as a binary heap: the least loaded is first. */
  readonly workers: Worker[];
}

export interface PoolCapability {
  readonly type: TaskType;
  readonly name: string;
  /** 0 means no limit but the slots. */
  readonly maxConcurrent: number;
  /** Workers in the heap that are below `maxConcurrent`. */
  open: number;
}

export type WorkerStatus = "connected" | "draining" | "lost";

/** A worker process, over all its streams, as long as it is connected, holds leases or waits for acknowledgements. */
export interface Worker {
  readonly namespace: Namespace;
  readonly id: string;
  status: WorkerStatus;
  capabilities: readonly Capability[];
  slots: number;
  labels: Record<string, string>;
  client: string;
  pool: WorkerPool | undefined;
  /** Place in the pool's heap; -1 when it takes no tasks. */
  heapIndex: number;
  readonly leases: Set<Lease>;
  /** Leases by capability. */
  running: number[];
  connectedAtMs: number;
  lastSeenAtMs: number;
  completed: number;
  refused: number;
  /** Frames with results that are not settled yet, by number. */
  frames: WorkerFrame[];
  acknowledgedFrame: bigint;
  /** The present stream. */
  outbox: WorkerOutbox;
}

/** A frame of results of a worker. It is acknowledged when none of its results is open. */
export interface WorkerFrame {
  readonly worker: Worker;
  readonly number: bigint;
  open: number;
}

/** What waits to be read by something outside. */
export interface Outbox {
  /** Set when the stream must end, after what is in the box. */
  closed: DomainError | undefined;
  /** Tells the reader that there is something; called once per turn. */
  wake: () => void;
}

/** What waits for a worker's stream. Cumulative where it can be, so that a slow reader costs no memory. */
export interface WorkerOutbox extends Outbox {
  /** Deliveries. One whose lease ends before it is sent is not sent. */
  leases: Lease[];
  canceledTaskIds: string[];
  refusals: Refusal[];
  acknowledgedFrame: bigint;
}

/** An open link of an owner of executions. */
export interface Owner extends Outbox {
  readonly id: string;
  connected: boolean;
  readonly partitions: Set<Partition>;
  /** Results that are in no frame yet. */
  results: TaskEntry[];
  progress: TaskProgress[];
  /** It is time to show that the scheduler lives, by whatever frame. */
  pulse: boolean;
  /** Frames without acknowledgement, oldest first. */
  frames: LinkFrame[];
  lastFrame: bigint;
  unacknowledged: number;
  sync: { readonly mark: number; readonly partitions: Set<Partition> } | undefined;
}

export interface LinkFrame {
  readonly number: bigint;
  /** Without those that were given back. */
  entries: readonly TaskEntry[];
}

/** The tasks of one partition of executions, and whose they are. */
export interface Partition {
  readonly tasks: Map<string, TaskEntry>;
  owner: Owner | undefined;
  /** Highest that an owner has named. */
  epoch: bigint;
  /** An owner has said what it wants since the scheduler started: a task that is not here is over. */
  synced: boolean;
  /** Since when nobody owns it; undefined while somebody does, or while it is empty. */
  orphanedAtMs: number | undefined;
}

export interface Namespace {
  readonly name: string;
  readonly queues: Map<string, TaskQueue>;
  /** Queues with waiting tasks and with workers for them, the least recently served first. */
  readonly servable: Set<TaskQueue>;
  readonly pools: Map<string, WorkerPool>;
  readonly workers: Map<string, Worker>;
}
