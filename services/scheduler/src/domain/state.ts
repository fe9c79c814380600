import type { SchedulerLimits } from "../limits.ts";
import { createFencingTokens, type FencingTokens } from "./fencing-tokens.ts";
import type { Lease, Namespace, Outbox, Owner, Partition, QueueDeadline, TaskEntry } from "./model.ts";
import { createNamespace, DEFAULT_NAMESPACE, isIdle } from "./namespace.ts";
import { partitionIndex, PARTITIONS } from "./task-id.ts";
import { createTimerWheel, type TimerWheel } from "./timers.ts";

/** What the scheduler counts since it started. */
export interface Counters {
  /** Deliveries to workers. */
  dispatched: number;
  /** Results of workers that were accepted. */
  completed: number;
  /** Results of workers that were refused. */
  refused: number;
  /** Leases that ended without a result. */
  redelivered: number;
  /** Tasks that failed because every delivery of them was lost. */
  lost: number;
  /** Tasks that failed by a time-out. */
  timedOut: number;
}

/** All that the scheduler knows. The functions beside this file change it; none of them does I/O or reads a clock. */
export interface SchedulerState {
  /** Of this start: higher than of every one before. */
  readonly epoch: bigint;
  readonly limits: SchedulerLimits;
  readonly tokens: FencingTokens;
  readonly partitions: readonly Partition[];
  readonly namespaces: Map<string, Namespace>;
  /** Open links by owner id. */
  readonly owners: Map<string, Owner>;
  /** When each lease is due; a lease that ended is in it no longer. */
  readonly timers: TimerWheel<Lease>;
  /** When each waiting task must have been taken whose time in the queue is limited. */
  readonly queueTimers: TimerWheel<QueueDeadline>;
  /** Leases whose progress was not reported yet, oldest first. */
  readonly recent: { first: Lease | undefined; last: Lease | undefined };
  /** Tasks of syncs that wait for workers to name what they hold. */
  recovering: TaskEntry[];
  recoveryEndsAtMs: number;
  /** Leases do not end before: the scheduler itself was stopped and has heartbeats to read. */
  graceUntilMs: number;
  lastTickMs: number;
  syncs: number;
  /** Namespaces in which something may be delivered that could not be before. */
  readonly admissible: Set<Namespace>;
  /** Boxes that something was put into. */
  readonly filled: Set<Outbox>;
  readonly counters: Counters;
  readonly counts: { waiting: number; running: number; finished: number; unconfirmed: number; tasks: number };
}

export interface SchedulerStateOptions {
  limits: SchedulerLimits;
  /** Higher than at every start before. */
  epoch: bigint;
  nowMs: number;
}

export function createSchedulerState({ limits, epoch, nowMs }: SchedulerStateOptions): SchedulerState {
  return {
    epoch,
    limits,
    tokens: createFencingTokens(epoch),
    partitions: Array.from({ length: PARTITIONS }, createPartition),
    namespaces: new Map(),
    owners: new Map(),
    timers: createTimerWheel({ nowMs, resolutionMs: limits.timerResolutionMs }),
    queueTimers: createTimerWheel({ nowMs, resolutionMs: limits.timerResolutionMs }),
    recent: { first: undefined, last: undefined },
    recovering: [],
    recoveryEndsAtMs: nowMs + limits.recoveryWindowMs,
    graceUntilMs: 0,
    lastTickMs: nowMs,
    syncs: 0,
    admissible: new Set(),
    filled: new Set(),
    counters: { dispatched: 0, completed: 0, refused: 0, redelivered: 0, lost: 0, timedOut: 0 },
    counts: { waiting: 0, running: 0, finished: 0, unconfirmed: 0, tasks: 0 },
  };
}

function createPartition(): Partition {
  return { tasks: new Map(), owner: undefined, epoch: 0n, synced: false, orphanedAtMs: undefined };
}

export function partitionOf(state: SchedulerState, taskId: string): Partition {
  return state.partitions[partitionIndex(taskId)] as Partition;
}

export function findTask(state: SchedulerState, taskId: string): TaskEntry | undefined {
  return partitionOf(state, taskId).tasks.get(taskId);
}

export function findNamespace(state: SchedulerState, name: string): Namespace | undefined {
  return state.namespaces.get(name === "" ? DEFAULT_NAMESPACE : name);
}

/** The namespace; made when there is none, and then idle ones beyond the limit are let go. */
export function getNamespace(state: SchedulerState, name: string): Namespace {
  const known = findNamespace(state, name);
  if (known !== undefined) return known;
  if (state.namespaces.size >= state.limits.idleQueuesMax) {
    for (const [key, namespace] of state.namespaces) if (isIdle(namespace)) state.namespaces.delete(key);
  }
  const namespace = createNamespace(name === "" ? DEFAULT_NAMESPACE : name);
  state.namespaces.set(namespace.name, namespace);
  return namespace;
}
