import type { AppendOutcome, Appender } from "./append.ts";
import { type Batch, decideBatch } from "./batch.ts";
import type { Core } from "./core.ts";
import { outcomeUnknown, partitionLost } from "./errors.ts";
import { partitionBits } from "./id.ts";
import type { Partition, ResidentAggregate } from "./partition.ts";
import type { CommandQueue } from "./queue.ts";
import type { CommittedTurn, JournalEntry } from "./types.ts";

export interface CommitLoopHooks<State, Command, Event> {
  load(partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>): void;
  rebuild(partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>): void;
  schedule(partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>): void;
  /** Whether memory was true when a batch was decided that writes nothing; waits while the lease is in doubt. */
  confirm(): Promise<boolean>;
  committed(turns: CommittedTurn<State, Command, Event>[]): void;
  entries(entries: JournalEntry[]): void;
  dirtied(): void;
}

export interface CommitLoop {
  /** Something was queued. */
  wake(): void;
  /** Runs the task when no state in memory is uncommitted: at once, or after the flush under way. Must not throw. */
  atRest(task: () => void): void;
  /** Resolves when the queue is empty and nothing is under way. */
  idle(): Promise<void>;
}

/**
 * One flush at a time; what comes meanwhile is the next batch. Every batch begins in a turn of the event loop of its
 * own, so that everything that was promised committed state (replies, reads) has used it before it changes.
 */
export function createCommitLoop<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  queue: CommandQueue<Command>,
  appender: Appender,
  hooks: CommitLoopHooks<State, Command, Event>,
): CommitLoop {
  let running = false;
  let inFlight = false;
  let resting: (() => void)[] = [];
  let idlers: (() => void)[] = [];

  const runResting = (): void => {
    const tasks = resting;
    resting = [];
    for (const task of tasks) task();
  };

  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      inFlight = true;
      const batch = decideBatch(core, queue, hooks);
      const sections = batch.sections.filter((section) => section !== undefined);
      const { offset, payloads } = batch;
      const outcome =
        sections.length > 0 ? await appender.append({ offset, sections, payloads }) : await confirm(batch);
      if (outcome === "committed") settle(core, batch, hooks);
      else abandon(batch, outcome);
      inFlight = false;
      runResting();
      await nextTurn();
    }
    running = false;
    const waiting = idlers;
    idlers = [];
    for (const resolve of waiting) resolve();
  };

  /** An append proves by itself that nobody took anything; answers without one rest on the lease. */
  const confirm = async ({ answers }: Batch<State, Command, Event>): Promise<AppendOutcome> =>
    answers.length === 0 || (await hooks.confirm()) ? "committed" : "lost";

  const wake = (): void => {
    if (running) return;
    running = true;
    // All that arrives in this turn of the event loop shares the batch.
    setImmediate(() => void run());
  };

  return {
    wake,
    atRest(task) {
      if (inFlight) resting.push(task);
      else task();
    },
    idle: () => (running ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
  };
}

/** The batch is durable: memory catches up, then everybody is told. */
function settle<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  batch: Batch<State, Command, Event>,
  hooks: CommitLoopHooks<State, Command, Event>,
): void {
  const { counters, partitions } = core;
  const isCurrent = (number: number, epoch: number): boolean => partitions[number]?.epoch === epoch;
  const entries: JournalEntry[] = [];
  if (batch.sections.length > 0) core.lastOffset = batch.offset;
  for (const section of batch.sections) {
    // A partition may have been given up while its last flush was under way. That flush still counts for its submitters.
    if (section === undefined || !isCurrent(section.partition, section.epoch)) continue;
    const { partition, previousOffset, records } = section;
    (partitions[partition] as Partition<State, Command>).headOffset = batch.offset;
    const sizeBytes = records.reduce((total, record) => total + record.bytes.length, 0);
    entries.push({ partition, offset: batch.offset, previousOffset, records, sizeBytes });
  }
  const turns: CommittedTurn<State, Command, Event>[] = [];
  for (const { aggregate, records, turn } of batch.turns) {
    const partition = partitions[turn.partition];
    if (partition?.aggregates.get(aggregate.id) !== aggregate) continue;
    if (aggregate.unprojected.length === 0 && aggregate.projecting.length === 0) aggregate.heldOffset = turn.offset;
    for (const record of records) aggregate.unprojected.push(record);
    partition.dirty.add(aggregate);
    turns.push(turn);
  }
  for (const aggregate of batch.touched) aggregate.inBatch = false;
  if (turns.length > 0) {
    counters.flushes++;
    counters.events += batch.events;
    counters.bytes += batch.bytes;
    counters.unprojectedEvents += batch.events;
    counters.unprojectedBytes += batch.bytes;
    hooks.dirtied();
    hooks.committed(turns);
  }
  for (const { item, error, reply } of batch.answers) {
    if (error === undefined) counters.commands++;
    else counters.refusals++;
    if (!("timer" in item)) item.onDone?.(error, reply);
  }
  for (const aggregate of batch.touched) tidy(core, aggregate, hooks);
  for (const aggregate of batch.damaged) {
    const partition = findPartition(core, aggregate);
    if (partition) hooks.rebuild(partition, aggregate);
  }
  if (entries.length > 0) hooks.entries(entries);
}

function tidy<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  aggregate: ResidentAggregate<State, Command>,
  hooks: CommitLoopHooks<State, Command, Event>,
): void {
  if (aggregate.status !== "ready") return;
  const partition = findPartition(core, aggregate);
  if (partition === undefined) return;
  evictIfDone(core, partition, aggregate);
  hooks.schedule(partition, aggregate);
}

/** Forgets an aggregate that never came to be, or that is finished and projected. */
export function evictIfDone<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  partition: Partition<State, Command>,
  aggregate: ResidentAggregate<State, Command>,
): void {
  const { state, unprojected, projecting, inBatch, status, id } = aggregate;
  if (inBatch || status !== "ready" || unprojected.length > 0 || projecting.length > 0) return;
  if (state === undefined || core.aggregate.isFinished(state)) partition.aggregates.delete(id);
}

function findPartition<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  aggregate: ResidentAggregate<State, Command>,
): Partition<State, Command> | undefined {
  const partition = core.partitions[partitionBits(aggregate.id) % core.partitionCount];
  return partition?.aggregates.get(aggregate.id) === aggregate ? partition : undefined;
}

function abandon<State, Command, Event>(
  batch: Batch<State, Command, Event>,
  outcome: Exclude<AppendOutcome, "committed">,
): void {
  for (const { item, partition } of batch.answers) {
    const error = outcome === "lost" ? partitionLost(partition, "fenced") : outcomeUnknown(partition);
    if (!("timer" in item)) item.onDone?.(error);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
