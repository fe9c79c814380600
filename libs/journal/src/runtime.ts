import { setTimeout as sleep } from "node:timers/promises";
import { createAppender } from "./append.ts";
import { createCommitLoop } from "./commit-loop.ts";
import { type Core, createCounters, silentLogger } from "./core.ts";
import {
  aggregateQuarantined,
  databaseAway,
  invalidId,
  overloaded,
  partitionLost,
  partitionNotOwned,
  runtimeStopped,
  superseded,
} from "./errors.ts";
import { readHistoryTable } from "./history.ts";
import { idToBytes, isId, keyPartition, newId, partitionBits } from "./id.ts";
import { inspectPartition } from "./inspect.ts";
import { defaultLimits } from "./limits.ts";
import { createLoader } from "./loader.ts";
import { createOwnership } from "./ownership.ts";
import { createOwners } from "./owners.ts";
import { createAggregate, type Partition, type QueuedCommand, releaseReaders } from "./partition.ts";
import { loadPayloads } from "./payloads.ts";
import { createProjector } from "./projector.ts";
import { createCommandQueue } from "./queue.ts";
import { readJournalPage } from "./read.ts";
import { createSlots } from "./slots.ts";
import { createTimers } from "./timers.ts";
import type {
  JournalEntry,
  JournalRecord,
  JournalRuntime,
  JournalRuntimeOptions,
  OwnershipListener,
  PartitionLossReason,
  Submission,
} from "./types.ts";

const MAX_PARTITIONS = 64;
const HISTORY_PAGE = 1_000;
/** A process that stops does not hold its partitions for longer than this to have them projected first. */
const PROJECT_FIRST_MS = 1_000;

/**
 * The durable runtime: keeps its share of the aggregates in memory, decides their commands, and acknowledges a turn
 * when its events are in the journal. Run `journalMigrations` first. Nothing happens before `start`.
 */
export function createJournalRuntime<State, Command, Event, Captured = unknown>(
  options: JournalRuntimeOptions<State, Command, Event, Captured>,
): JournalRuntime<State, Command> {
  const partitionCount = options.partitions ?? MAX_PARTITIONS;
  if (MAX_PARTITIONS % partitionCount !== 0) {
    throw new RangeError(`partitions must be 1, 2, 4, 8, 16, 32 or 64, got ${partitionCount}`);
  }
  const { database } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const logger = options.logger ?? silentLogger;
  const core: Core<State, Command, Event, Captured> = {
    database,
    aggregate: options.aggregate,
    projection: options.projection,
    limits,
    logger,
    now: options.now ?? Date.now,
    partitionCount,
    partitions: Array.from({ length: partitionCount }, () => undefined),
    counters: createCounters(),
    lastOffset: 0,
  };
  const { counters } = core;
  const queue = createCommandQueue<Command>();
  const commitListeners = new Set<(entries: readonly JournalEntry[]) => void>();
  const ownershipListeners = new Set<OwnershipListener>();
  const lagSources = new Set<() => number>();
  let accepting = false;
  let leaving = false;
  let slotTimer: NodeJS.Timeout | undefined;
  let maintaining: Promise<void> = Promise.resolve();
  let nextBirth = 0;

  const slots = createSlots(database, limits.slotDurationMs, core.now, logger);

  const enqueue = (item: QueuedCommand<Command>): void => {
    queue.push(item);
    loop.wake();
  };
  const timers = createTimers(core, enqueue);
  const loader = createLoader(core, {
    requeue(items) {
      if (items.length === 0) return;
      queue.unshift(items);
      loop.wake();
    },
    schedule: timers.schedule,
  });
  const projector = createProjector(core, (task) => loop.atRest(task));
  const rest = (): Promise<void> => new Promise((resolve) => loop.atRest(resolve));

  const dropped = (partition: Partition<State, Command>, reason: PartitionLossReason): void => {
    const refuse = (items: readonly QueuedCommand<Command>[]): void => {
      for (const item of items) if (!("timer" in item)) item.onDone?.(partitionLost(partition.number, reason));
    };
    refuse(partition.waiting);
    releaseReaders(partition);
    for (const aggregate of partition.aggregates.values()) {
      refuse(aggregate.parked);
      releaseReaders(aggregate);
      for (const records of [aggregate.unprojected, aggregate.projecting]) {
        counters.unprojectedEvents -= records.length;
        for (const record of records) counters.unprojectedBytes -= record.bytes.length;
      }
    }
    options.onLost?.(partition.number, reason);
    for (const listener of ownershipListeners) listener.lost?.(partition.number, reason);
  };

  const owners = createOwners(database);
  const { owner, address = "" } = options;
  const ownership = createOwnership(
    core,
    { owner, address, owners },
    {
      changed: owners.changed,
      superseded: () => options.onSuperseded?.(superseded(owner)),
      rest,
      flushProjection: () => projector.flush(),
      dropped,
      recovered(partition) {
        for (const aggregate of partition.aggregates.values()) {
          if (aggregate.status === "ready") timers.schedule(partition, aggregate);
        }
        if (partition.dirty.size > 0) projector.dirtied();
        const { waiting } = partition;
        partition.waiting = [];
        releaseReaders(partition);
        options.onAcquired?.(partition.number);
        owners.changed();
        for (const listener of ownershipListeners) listener.acquired?.(partition.number);
        if (waiting.length === 0) return;
        queue.unshift(waiting);
        loop.wake();
      },
    },
  );

  const appender = createAppender({
    database,
    lease: ownership,
    slot: slots.current,
    repairSlot: slots.maintain,
    appendTimeoutMs: limits.appendTimeoutMs,
    logger,
    counters,
  });

  const loop = createCommitLoop<State, Command, Event, Captured>(core, queue, appender, {
    load: loader.load,
    rebuild: loader.load,
    schedule: timers.schedule,
    confirm: ownership.confirm,
    dirtied: projector.dirtied,
    committed(turns) {
      options.onCommitted?.(turns);
    },
    entries(entries) {
      for (const listener of commitListeners) listener(entries);
    },
  });

  /** The first bound that is passed, as the refusal of new work. */
  const overload = (): Error | undefined => {
    if (ownership.inDoubtMs() > limits.outagePatienceMs) return databaseAway();
    const bounds: [string, number, number][] = [
      ["queued commands", queue.length, limits.queueMaxCommands],
      ["bytes of queued commands", queue.sizeBytes, limits.queueMaxBytes],
      ["unprojected events", counters.unprojectedEvents, limits.projectionLagMaxEvents],
      ["bytes of unprojected events", counters.unprojectedBytes, limits.projectionLagMaxBytes],
    ];
    if (lagSources.size > 0) bounds.push(["unpublished journal rows", publisherLag(), limits.publisherLagMaxRows]);
    for (const [what, value, bound] of bounds) {
      if (value > bound) return overloaded(what, value, bound, limits.retryAfterMs);
    }
    return undefined;
  };

  const publisherLag = (): number => {
    let lag = 0;
    for (const source of lagSources) lag = Math.max(lag, source());
    return lag;
  };

  const refusal = (item: Submission<Command>): Error | undefined => {
    if (!accepting) return runtimeStopped();
    if (!isId(item.id)) return invalidId(item.id);
    return item.admission === true ? overload() : undefined;
  };

  const submitAll = (items: readonly Submission<Command>[]): void => {
    for (const item of items) {
      const error = refusal(item);
      if (error === undefined) queue.push(item);
      else {
        counters.refusals++;
        item.onDone?.(error);
      }
    }
    if (queue.length > 0) loop.wake();
  };

  const findReady = (number: number): Partition<State, Command> | undefined => {
    const partition = core.partitions[number];
    return partition !== undefined && partition.status !== "recovering" && ownership.isValid() ? partition : undefined;
  };

  const partitionOf = (id: string): number => partitionBits(id) % partitionCount;

  /** The partition, when what is in memory of it is complete and true: use it before the next await. */
  const whenReady = async (number: number): Promise<Partition<State, Command>> => {
    // Whenever it had to wait, everything may be different: look again.
    for (;;) {
      if (!ownership.isValid()) await ownership.whenSure();
      const partition = core.partitions[number];
      if (partition === undefined) throw partitionNotOwned(number);
      const ready = findReady(number);
      if (ready !== undefined) return ready;
      if (partition.status === "recovering") await new Promise<void>((resume) => partition.readers.push(resume));
    }
  };

  const read = async (id: string): Promise<State | undefined> => {
    if (!isId(id)) throw invalidId(id);
    const number = partitionOf(id);
    for (;;) {
      const partition = findReady(number) ?? (await whenReady(number));
      let aggregate = partition.aggregates.get(id);
      if (aggregate === undefined) {
        aggregate = createAggregate<State, Command>(id, idToBytes(id), "loading");
        partition.aggregates.set(id, aggregate);
        loader.load(partition, aggregate);
      }
      const { readers, status } = aggregate;
      if (status === "quarantined") throw aggregateQuarantined(id, "its replay failed");
      if (status === "ready" && !aggregate.inBatch) return aggregate.state;
      await (status === "loading" ? new Promise<void>((resume) => readers.push(resume)) : rest());
      // It may have been loaded for this read alone, and forgotten at once.
      const isSure = ownership.isValid() && core.partitions[number] === partition;
      if (status === "loading" && aggregate.status === "ready" && !aggregate.inBatch && isSure) return aggregate.state;
    }
  };

  const ownedPartitions = (): number[] =>
    core.partitions
      .filter((partition) => partition?.status === "active")
      .map((partition) => (partition as { number: number }).number);

  const birthPartition = (): number => {
    for (let tries = 0; tries < partitionCount; tries++) {
      nextBirth = (nextBirth + 1) % partitionCount;
      if (core.partitions[nextBirth]?.status === "active") return nextBirth;
    }
    // None is ours at the moment: whoever owns the next one gets it.
    return nextBirth;
  };

  const scheduleMaintenance = (): void => {
    slotTimer = setTimeout(() => {
      maintaining = projector
        .catchUp()
        // Tables must be there ahead of their time also while nothing can be projected; what is needed is not dropped.
        .catch((error: unknown) => logger.warn({ err: error }, "the projection could not catch up; trying again"))
        .then(slots.maintain)
        .catch((error: unknown) =>
          logger.warn({ err: error }, "the journal's tables could not be maintained; trying again"),
        )
        .finally(() => {
          if (accepting) scheduleMaintenance();
        });
    }, limits.slotMaintenanceIntervalMs);
  };

  return {
    async start() {
      await slots.maintain();
      accepting = true;
      await ownership.start();
      scheduleMaintenance();
    },
    async stop() {
      leaving = true;
      owners.changed();
      // Most of it while commands that are under way still get through; the rest is quick then.
      const projected = projector.flush().catch(() => undefined);
      await Promise.race([projected, sleep(PROJECT_FIRST_MS, undefined, { ref: false })]);
      accepting = false;
      clearTimeout(slotTimer);
      timers.stop();
      ownership.wane();
      await loop.idle();
      loader.stop();
      await projector.stop();
      await projector.flush().catch((error: unknown) => {
        logger.warn({ err: error }, "stopping before everything was projected; the next owner replays the rest");
      });
      await maintaining;
      await ownership.stop();
      await appender.close();
    },
    submit: (id, command, submitOptions) =>
      new Promise((resolve, reject) => {
        const onDone = (error: unknown, reply?: unknown): void =>
          error === undefined
            ? resolve(reply)
            : reject(error instanceof Error ? error : new Error("not an Error was thrown", { cause: error }));
        submitAll([{ ...submitOptions, id, command, onDone }]);
      }),
    submitAll,
    read,
    async whenReady(partition) {
      await whenReady(partition);
    },
    *live(number) {
      const partitions = number === undefined ? core.partitions : [core.partitions[number]];
      for (const partition of partitions) {
        if (partition?.status !== "active") continue;
        for (const aggregate of partition.aggregates.values()) {
          if (aggregate.status === "ready" && aggregate.state !== undefined) yield [aggregate.id, aggregate.state];
        }
      }
    },
    inspect: (partition) => inspectPartition(core, partition),
    newId(partition = birthPartition()) {
      if (partitionCount === MAX_PARTITIONS) return newId(partition, core.now());
      // Ids keep all six bits: whichever of them stand for this partition.
      return newId(
        partition + partitionCount * Math.floor(Math.random() * (MAX_PARTITIONS / partitionCount)),
        core.now(),
      );
    },
    partitionOf,
    partitionOfKey: (namespace, key) => keyPartition(namespace, key, partitionCount),
    ownedPartitions,
    owner,
    isOwned(partition) {
      const status = leaving ? undefined : core.partitions[partition]?.status;
      return status === "active" || status === "recovering";
    },
    epochOf: (partition) => core.partitions[partition]?.epoch,
    findOwner: owners.find,
    isLive: owners.isLive,
    onOwnersChange: owners.onChange,
    metrics() {
      let liveAggregates = 0;
      let pendingTimers = 0;
      for (const partition of core.partitions) {
        liveAggregates += partition?.aggregates.size ?? 0;
        pendingTimers += partition?.timers.size ?? 0;
      }
      return {
        ...counters,
        ownedPartitions: ownedPartitions().length,
        liveAggregates,
        pendingTimers,
        queuedCommands: queue.length,
        queuedBytes: queue.sizeBytes,
        publisherLagRows: publisherLag(),
      };
    },
    async readHistory(id, { afterSeq = 0, limit = HISTORY_PAGE } = {}) {
      await whenReady(partitionOf(id));
      // Memory first: what is projected in between is then in both, and counted once.
      const aggregate = core.partitions[partitionOf(id)]?.aggregates.get(id);
      const recent: JournalRecord[] =
        aggregate === undefined ? [] : [...aggregate.projecting, ...aggregate.unprojected];
      const records = await readHistoryTable(database, id, afterSeq, limit);
      let last = records.at(-1)?.seq ?? afterSeq;
      for (const record of recent) {
        if (records.length >= limit) break;
        if (record.seq <= last) continue;
        records.push(record);
        last = record.seq;
      }
      return records;
    },
    loadPayloads: (digests) => loadPayloads(database, digests),
    readJournal: (partitions, afterOffset, limit) => readJournalPage(database, partitions, afterOffset, limit),
    headOffset: (partition) => core.partitions[partition]?.headOffset ?? 0,
    lastOffset: () => core.lastOffset,
    onCommit: (listener) => register(commitListeners, listener),
    onOwnership(listener) {
      for (const partition of ownedPartitions()) listener.acquired?.(partition);
      return register(ownershipListeners, listener);
    },
    addLagSource: (lagRows) => register(lagSources, lagRows),
  };
}

function register<T>(set: Set<T>, item: T): () => void {
  set.add(item);
  return () => set.delete(item);
}
