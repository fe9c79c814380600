import type { StoredRecord } from "./record.ts";
import { createTimerHeap, type TimerHeap } from "./timer-heap.ts";
import type { Submission } from "./types.ts";

/** A command in the queue. A timer's command is asked for when its turn comes, because the state may have moved on. */
export type QueuedCommand<Command> = Submission<Command> | { id: string; timer: true };

export interface ResidentAggregate<State, Command> {
  id: string;
  idBytes: Uint8Array;
  state: State | undefined;
  /** Seq of the last event decided. */
  seq: number;
  /**
   * ready: decides. loading: its state is being fetched, or rebuilt after a defect; commands wait in `parked`.
   * quarantined: its events cannot be replayed by this version; commands are refused.
   */
  status: "ready" | "loading" | "quarantined";
  parked: QueuedCommand<Command>[];
  /** Reads that wait for the loading to end, one way or the other. */
  readers: (() => void)[];
  /** Part of the flush under way: its state may be uncommitted. */
  inBatch: boolean;
  /** Committed, not yet captured for the projection. */
  unprojected: StoredRecord[];
  /** Captured, being written. */
  projecting: StoredRecord[];
  /** Offset of the row with its first unprojected event. */
  heldOffset: number;
  /** The one entry of the partition's heap that counts. */
  timerAt: number | undefined;
  timerQueued: boolean;
  timerFailures: number;
}

export interface Partition<State, Command> {
  number: number;
  epoch: number;
  status: "recovering" | "active" | "releasing";
  /** Offset of the last entry that was there when it was recovered: all later ones are this process's own. */
  recoveredOffset: number;
  /** Offset of the last committed entry. */
  headOffset: number;
  projectedOffset: number;
  aggregates: Map<string, ResidentAggregate<State, Command>>;
  dirty: Set<ResidentAggregate<State, Command>>;
  /** Those that cannot be projected (a defect, or quarantined): the journal is kept from their first event on. */
  held: Set<ResidentAggregate<State, Command>>;
  timers: TimerHeap<ResidentAggregate<State, Command>>;
  /** Commands that came before the recovery was complete. */
  waiting: QueuedCommand<Command>[];
  /** Reads that came before the recovery was complete, or the partition was lost. */
  readers: (() => void)[];
}

/** Lets the reads go on that waited for the partition or the aggregate: each looks again for what it can say now. */
export function releaseReaders(held: { readers: (() => void)[] }): void {
  for (const resume of held.readers.splice(0)) resume();
}

export function createPartition<State, Command>(taken: {
  partition: number;
  epoch: number;
  projectedOffset: number;
  headOffset: number;
}): Partition<State, Command> {
  return {
    number: taken.partition,
    epoch: taken.epoch,
    status: "recovering",
    recoveredOffset: taken.headOffset,
    headOffset: taken.headOffset,
    projectedOffset: taken.projectedOffset,
    aggregates: new Map(),
    dirty: new Set(),
    held: new Set(),
    timers: createTimerHeap(),
    waiting: [],
    readers: [],
  };
}

export function createAggregate<State, Command>(
  id: string,
  idBytes: Uint8Array,
  status: "ready" | "loading",
): ResidentAggregate<State, Command> {
  return {
    id,
    idBytes,
    state: undefined,
    seq: 0,
    status,
    parked: [],
    readers: [],
    inBatch: false,
    unprojected: [],
    projecting: [],
    heldOffset: 0,
    timerAt: undefined,
    timerQueued: false,
    timerFailures: 0,
  };
}
