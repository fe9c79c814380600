import type { Database, Transaction } from "@heddle/store";
import type { JournalLimits, PublisherLimits } from "./limits.ts";

/** Who and when a command is for. */
export interface DecideContext {
  id: string;
  /** Milliseconds since the epoch, by the owner's wall clock. */
  now: number;
}

export interface Decision<State, Event> {
  state: State;
  /** May be empty: the command changed nothing (a repeated request). */
  events: Event[];
  /** Given to the submitter once the turn is durable. */
  reply?: unknown;
}

/** A payload that is stored once in `payloads` and referenced by its digest. Made by `claimPayload`. */
export interface PayloadClaim {
  /** Lower-case hexadecimal SHA-256 of `bytes`. */
  digest: string;
  bytes: Uint8Array;
  /** Which field it is, for the message that refuses it when it is too large. */
  name: string;
}

export interface EncodedEvent {
  bytes: Uint8Array;
  payloads?: PayloadClaim[];
}

/** Gives the payloads that an event's `payloadDigests` named; all of them were loaded before. */
export interface PayloadLookup {
  /** Throws when the digest was not among the event's claims. */
  get(digest: string): Uint8Array;
}

/** What the runtime needs to know of a kind of aggregate. Pure, but for `prepare`. */
export interface AggregateType<State, Command, Event> {
  /**
   * Decides and evolves, in place if it likes: the runtime never keeps the state that it passed in.
   * Throws DomainError to refuse, and then `state` is untouched. Anything else that it throws is a defect: it is
   * answered to the submitter, and this one aggregate is rebuilt from what was committed.
   */
  decide(state: State | undefined, command: Command, context: DecideContext): Decision<State, Event>;
  /** Total. The only way that a replay changes state. May change `state` in place. */
  evolve(state: State | undefined, event: Event, context: { id: string }): State;
  /** `seq` is 1-based and gapless per aggregate; the runtime assigns it. Large payloads come back as claims. */
  encodeEvent(event: Event, context: { id: string; seq: number }): Uint8Array | EncodedEvent;
  decodeEvent(bytes: Uint8Array, payloads: PayloadLookup): Event;
  /** Seq of the last event that was applied. */
  seq(state: State): number;
  /** Only the earliest timer; asked again after each turn. `dueAt` in milliseconds since the epoch. */
  nextTimer(state: State): { dueAt: number; command: Command } | undefined;
  /** A finished aggregate leaves memory once it is projected; `Projection.load` brings it back for a late command. */
  isFinished(state: State): boolean;
  /** Recovery only: loads what `evolve` needs (plans) before the events of a partition are replayed. */
  prepare?(events: Event[]): Promise<void>;
}

/** One event as it stands in the journal. */
export interface JournalRecord {
  id: string;
  seq: number;
  bytes: Uint8Array;
  /** Digests of the payloads that it references. */
  payloadDigests: readonly string[];
}

/** What a flush of the projection writes for one aggregate. */
export interface ProjectionChange<Captured> {
  id: string;
  partition: number;
  /** What `capture` made of the state. */
  captured: Captured;
  finished: boolean;
  /** The events since the last flush, in order; never empty, never seen by an earlier flush. */
  events: readonly JournalRecord[];
}

/** Where everything that can be queried is written, up to one flush interval after the commit. */
export interface Projection<State, Captured = unknown> {
  /**
   * Turns the committed state into what `write` stores. Synchronous, because the next turn may change `state` in
   * place: a `write` that read it after an await would store what was never committed.
   */
  capture(aggregate: {
    id: string;
    partition: number;
    state: State;
    finished: boolean;
    /** What `write` will get as the change's events. */
    events: readonly JournalRecord[];
  }): Captured;
  /**
   * Runs in the flusher's transaction, which moves `projected_offset` too. One call per flush with all changed
   * aggregates of some partitions. Call `writeHistory(transaction, changes)` here.
   */
  write(transaction: Transaction, changes: readonly ProjectionChange<Captured>[]): Promise<void>;
  /** What `write` was given is committed: memory that was kept for it may go. */
  written?(changes: readonly ProjectionChange<Captured>[]): void;
  /** Recovery: every unfinished aggregate of the partition as last projected. */
  loadLive(partition: number): Promise<Loaded<State>[]>;
  /**
   * Those of the aggregates that were projected at all, finished ones too, in any order. For commands and reads that reach an
   * aggregate that is not in memory, and to rebuild one after a defect.
   */
  load(ids: readonly string[]): Promise<Loaded<State>[]>;
}

/** An aggregate as it was projected. With a fault instead it is set aside: what is stored of it cannot be read by this version. */
export type Loaded<State> = { id: string; state: State } | { id: string; fault: unknown };

/** A turn that is durable. */
export interface CommittedTurn<State, Command, Event> {
  id: string;
  partition: number;
  /** Live: use it before the next await. It has all turns of the same flush applied. */
  state: State;
  command: Command;
  events: Event[];
  reply: unknown;
  /** Offset of its journal entry. */
  offset: number;
}

export interface SubmitOptions {
  /** New work from outside: refused with RESOURCE_EXHAUSTED when a queue or a lag is past its bound. Default false. */
  admission?: boolean;
  /**
   * The id was made by `newId` for this very command, so no store needs to be asked whether the aggregate exists.
   * Wrong use breaks "once": never set it for an id that was derived or came from a caller. Default false.
   */
  fresh?: boolean;
  /**
   * For an id that was derived, and is used once: the offset of the entry of the id's own partition that committed the decision
   * to use it. Then it is fresh too, as long as the partition has been here since that entry: nobody else can have used it.
   * Where it has been elsewhere meanwhile the store is asked. Only with the first try: a second one might find the first.
   */
  freshSince?: number;
  /** Approximate size of the command, for the queue's bound in bytes. Default 256. */
  sizeBytes?: number;
}

export interface Submission<Command> extends SubmitOptions {
  id: string;
  command: Command;
  /** Called once, after the commit or with the refusal. Must not throw. */
  onDone?: (error: unknown, reply?: unknown) => void;
}

/** All events that one flush committed to one partition. */
export interface JournalEntry {
  partition: number;
  /** Grows with every entry of the partition, with steps of any size. */
  offset: number;
  /** Of the partition's entry before this one, 0 for the first: whoever follows can tell that nothing is missing. */
  previousOffset: number;
  records: readonly JournalRecord[];
  /** Size of its events. */
  sizeBytes: number;
}

/** Some of the journal. */
export interface JournalPage {
  /** Of the wanted partitions, in the order of their offsets. */
  entries: JournalEntry[];
  /** Nothing of the wanted partitions up to here is missing in `entries`. */
  readOffset: number;
  /** Whether there may be more. */
  isFull: boolean;
}

/** The subset of pino's interface that is used. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type PartitionLossReason = "released" | "lease_expired" | "fenced" | "superseded" | "stopped";

export interface JournalMetrics {
  ownedPartitions: number;
  liveAggregates: number;
  queuedCommands: number;
  queuedBytes: number;
  /** Committed, not yet projected. */
  unprojectedEvents: number;
  unprojectedBytes: number;
  pendingTimers: number;
  /** Flushes that the slowest publisher has still to publish. */
  publisherLagRows: number;
  /** Totals since the start. */
  flushes: number;
  events: number;
  bytes: number;
  commands: number;
  refusals: number;
  defects: number;
  /** Time of the last flush from statement to answer. */
  lastFlushMs: number;
}

export interface JournalRuntime<State, Command> {
  /** Joins the owners, acquires partitions and recovers them. Resolves when the first share is recovered. */
  start(): Promise<void>;
  /** Refuses new commands, drains the queue, flushes the projection and releases the leases. */
  stop(): Promise<void>;
  /** Resolves with the reply once the turn is durable. Rejects with the refusal, or UNAVAILABLE if this process does not own the partition. */
  submit(id: string, command: Command, options?: SubmitOptions): Promise<unknown>;
  /** The hot path: no promise per command. Order per aggregate is kept. */
  submitAll(items: readonly Submission<Command>[]): void;
  /**
   * Committed state, finished aggregates too, never stale: UNAVAILABLE if another process owns the partition.
   * Live: use it before the next await.
   */
  read(id: string): Promise<State | undefined>;
  /**
   * Resolves when everything of the partition that is live is in memory, and `onAcquired` was told: true until the next await.
   * UNAVAILABLE if another process owns the partition.
   */
  whenReady(partition: number): Promise<void>;
  /** All resident aggregates of a partition, or of all owned ones, with committed state only. Use it before the next await. */
  live(partition?: number): Iterable<[id: string, state: State]>;
  /** For diagnostics: what is in memory, without waiting for anything, loading anything or keeping it. Throws PARTITION_NOT_OWNED. */
  inspect(partition: number): PartitionInspection<State>;
  /** A new UUIDv7 in the partition, or in one that this process owns. */
  newId(partition?: number): string;
  partitionOf(id: string): number;
  partitionOfKey(namespace: string, key: string): number;
  ownedPartitions(): number[];
  /** Name of this process among the owners. */
  readonly owner: string;
  /** Whether this process takes commands for the partition: it is the owner, or recovers it at the moment. */
  isOwned(partition: number): boolean;
  /** Grows whenever a process takes the partition over; undefined where it is not this one's. */
  epochOf(partition: number): number | undefined;
  /**
   * The live owner by the database's record, and where it is reached (empty: it told no address). From memory, which is
   * brought up to date at each renewal of the lease and at each change; `fresh` asks for a look at the record.
   */
  findOwner(partition: number, options?: { fresh?: boolean }): Promise<{ owner: string; address: string } | undefined>;
  /** Whether a process of this name was alive at the latest look. */
  isLive(owner: string): boolean;
  /** Called when owners or their partitions have changed. Returns the way to end it. */
  onOwnersChange(listener: () => void): () => void;
  metrics(): JournalMetrics;
  /**
   * History of one aggregate after a seq, in order, up to `limit` events; includes what is not projected yet.
   * UNAVAILABLE if another process owns the partition.
   */
  readHistory(id: string, options?: { afterSeq?: number; limit?: number }): Promise<JournalRecord[]>;
  /** Loads payloads that records name. */
  loadPayloads(digests: readonly string[]): Promise<PayloadLookup>;
  /** Entries of some partitions after an offset, in order, from the database. `limit` counts flushes. */
  readJournal(partitions: readonly number[], afterOffset: number, limit: number): Promise<JournalPage>;
  /** Offset of the last committed entry of an owned partition. */
  headOffset(partition: number): number;
  /** Offset of the last flush of this process: later entries of owned partitions have higher ones. */
  lastOffset(): number;
  /** Called after every commit, synchronously. Returns the way to end it. */
  onCommit(listener: (entries: readonly JournalEntry[]) => void): () => void;
  /** Called when partitions were recovered (or are already there) and when they are lost. Returns the way to end it. */
  onOwnership(listener: OwnershipListener): () => void;
  /** Registers a source of lag, in flushes, for back-pressure. Returns the way to end it. */
  addLagSource(lagRows: () => number): () => void;
}

/** A partition in memory. */
export interface PartitionInspection<State> {
  epoch: number;
  /** Offset of the last committed entry. */
  headOffset: number;
  /** Everything up to here is projected. */
  projectedOffset: number;
  /** May be walked slowly: each aggregate is as of the moment it is given out. Use its state before the next await. */
  aggregates(): Iterable<AggregateInspection<State>>;
}

export interface AggregateInspection<State> {
  id: string;
  /** Live. Undefined only when it is quarantined before its first event. */
  state: State | undefined;
  /** False while its last turn is being flushed, or when it is quarantined: then `state` says nothing. */
  isCommitted: boolean;
  /** Its events cannot be replayed by this version; its commands are refused. */
  isQuarantined: boolean;
  /** When the runtime will fire its timer, milliseconds since the epoch; now, when that is under way. */
  timerAt: number | undefined;
}

export interface OwnershipListener {
  acquired?(partition: number): void;
  lost?(partition: number, reason: PartitionLossReason): void;
}

export interface JournalRuntimeOptions<State, Command, Event, Captured = unknown> {
  database: Database;
  /** Unique among live processes, stable over restarts of the same one: a restart takes its own partitions back at once. */
  owner: string;
  /** Where other processes reach this one, `http://host:port`. Default: empty, which nobody can forward to. */
  address?: string;
  aggregate: AggregateType<State, Command, Event>;
  projection: Projection<State, Captured>;
  /** 1, 2, 4 … 64. Fixed for the life of a database. Default 64. */
  partitions?: number;
  limits?: Partial<JournalLimits>;
  logger?: Logger;
  /** Wall clock in milliseconds. Default Date.now. */
  now?: () => number;
  /** After each commit, before the submitters' `onDone`, one call with all its turns that have events. Must not throw. */
  onCommitted?: (turns: readonly CommittedTurn<State, Command, Event>[]) => void;
  /** A partition was recovered: derive obligations from `runtime.live(partition)`. */
  onAcquired?: (partition: number) => void;
  /** A partition is no longer ours: drop what was derived from it. */
  onLost?: (partition: number, reason: PartitionLossReason) => void;
  /** A newer process runs under the name of this one, which has given up for good: end it. */
  onSuperseded?: (error: Error) => void;
}

export interface PublisherOptions {
  /** Names the cursors: one publisher of a name per database, however many processes run it. */
  name: string;
  /**
   * Delivers the entries, in order per partition, to wherever they go; one call at a time. When it rejects, the same
   * entries are given again after a pause. Delivery is at least once: after a crash some entries come again.
   */
  publish(entries: readonly JournalEntry[]): Promise<void>;
  limits?: Partial<PublisherLimits>;
  logger?: Logger;
}

export interface Publisher {
  /** Follows the partitions that the runtime owns, now and later. */
  start(): Promise<void>;
  /** Waits for the call under way and stores the cursors. */
  stop(): Promise<void>;
  /** Resolves when everything committed before the call was published. */
  drained(): Promise<void>;
  lagRows(): number;
}
