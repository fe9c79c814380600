import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { AppendLease } from "./append.ts";
import type { Core } from "./core.ts";
import {
  isSuperseded,
  join,
  leave,
  type OwnerIdentity,
  readMembership,
  refence,
  release,
  renew,
  take,
} from "./lease.ts";
import { createPartition, type Partition } from "./partition.ts";
import { readLastOffset } from "./read.ts";
import { recoverPartitions } from "./recovery.ts";
import type { PartitionLossReason } from "./types.ts";

export interface OwnershipHooks<State, Command> {
  recovered(partition: Partition<State, Command>): void;
  /** Forget the partition; it is in `core.partitions` no more. */
  dropped(partition: Partition<State, Command>, reason: PartitionLossReason): void;
  /** Resolves when no flush of the commit loop is under way. */
  rest(): Promise<void>;
  flushProjection(): Promise<void>;
}

export interface Ownership extends AppendLease {
  /** Joins, takes the first share and recovers it. */
  start(): Promise<void>;
  /** Gives everything back. Nothing may be under way any more. */
  stop(): Promise<void>;
  /** Drops everything because of what an append found out. */
  lose(reason: PartitionLossReason): void;
  /** Drops everything if the lease may have run out. */
  check(): void;
}

const RECOVERY_RETRY_MS = 200;

/** Keeps this process among the owners, and its share of the partitions in memory. */
export function createOwnership<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  owner: string,
  hooks: OwnershipHooks<State, Command>,
): Ownership {
  const { database, limits, logger } = core;
  let self: OwnerIdentity = { owner, incarnation: randomUUID() };
  let fence: number | undefined;
  /** By the monotonic clock, counted from before the renewal was sent: others count from when it arrived. */
  let validUntil = 0;
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> = Promise.resolve();
  let joined = false;
  let stopped = false;

  const isValid = (): boolean => fence !== undefined && performance.now() < validUntil;
  const held = (): Partition<State, Command>[] => core.partitions.filter((partition) => partition !== undefined);

  const drop = (partition: Partition<State, Command>, reason: PartitionLossReason): void => {
    if (core.partitions[partition.number] !== partition) return;
    core.partitions[partition.number] = undefined;
    hooks.dropped(partition, reason);
  };

  const lose = (reason: PartitionLossReason): void => {
    if (fence === undefined) return;
    fence = undefined;
    logger.warn({ owner, reason, partitions: held().length }, "this process no longer owns its partitions");
    for (const partition of held()) drop(partition, reason);
  };

  const tick = async (): Promise<void> => {
    if (fence !== undefined && performance.now() >= validUntil) lose("lease_expired");
    const began = performance.now();
    if (fence === undefined) {
      if (joined && (await isSuperseded(database, self))) return supersede();
      self = { owner, incarnation: randomUUID() };
      fence = await join(database, self, limits.leaseDurationMs);
      joined = true;
    } else if (!(await renew(database, self, limits.leaseDurationMs))) {
      return (await isSuperseded(database, self)) ? supersede() : lose("fenced");
    }
    validUntil = began + limits.leaseDurationMs - limits.leaseSafetyMarginMs;
    await balance();
  };

  /** Two live processes of one name would take the partitions from each other for ever: the newer one has them. */
  const supersede = (): void => {
    lose("superseded");
    stopped = true;
    logger.error({ owner }, "another process runs under this owner name, so this one stops; give each its own name");
  };

  const balance = async (): Promise<void> => {
    const { owners, partitions } = await readMembership(database);
    const mine = held();
    const share = fairShare(core.partitionCount, owners, owner);
    const free = partitions.some(
      (row) => (row.owner === null || row.owner === owner) && !core.partitions[row.partition],
    );
    if (mine.length < share && free) {
      const taken = await take(
        database,
        self,
        share - mine.length,
        mine.map((partition) => partition.number),
      );
      // The lease may have been lost while the statement was under way.
      if (fence === undefined) return;
      const fresh = taken.map((row) => {
        const partition = createPartition<State, Command>(row);
        core.partitions[row.partition] = partition;
        return partition;
      });
      recovering = Promise.all([recovering, recover(fresh)]).then(() => undefined);
    } else if (mine.length > share) {
      await giveBack(mine.slice(share - mine.length).filter((partition) => partition.status === "active"));
    }
  };
  let recovering: Promise<void> = Promise.resolve();

  const recover = async (taken: Partition<State, Command>[]): Promise<void> => {
    const isCurrent = (partition: Partition<State, Command>): boolean =>
      core.partitions[partition.number] === partition;
    for (let partitions = taken; partitions.length > 0; partitions = partitions.filter(isCurrent)) {
      try {
        // Whatever earlier owners wrote and published is below what this one will write.
        const last = await readLastOffset(database);
        // Not while a flush with an older offset is under way: it would fall behind what counts as done.
        await hooks.rest();
        core.lastOffset = Math.max(core.lastOffset, last);
        await recoverPartitions(core, partitions, isCurrent);
        for (const partition of partitions.filter(isCurrent)) {
          partition.status = "active";
          hooks.recovered(partition);
        }
        return;
      } catch (error) {
        logger.error({ err: error, partitions: partitions.length }, "partitions could not be recovered; trying again");
        await sleep(RECOVERY_RETRY_MS);
      }
    }
  };

  /** In order: no new commands, the flush under way ends, everything is projected, and only then others may take over. */
  const giveBack = async (partitions: Partition<State, Command>[]): Promise<void> => {
    if (partitions.length === 0) return;
    for (const partition of partitions) partition.status = "releasing";
    await hooks.rest();
    try {
      await hooks.flushProjection();
    } catch (error) {
      // The next owner replays what is missing.
      logger.warn({ err: error }, "partitions are given back before they were projected");
    }
    for (const partition of partitions) drop(partition, "released");
    await release(database, partitions);
  };

  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      ticking = tick()
        .catch((error: unknown) => logger.warn({ err: error }, "the lease could not be renewed; trying again"))
        .finally(schedule);
    }, limits.leaseRenewIntervalMs);
  };

  return {
    fence: () => fence,
    isValid,
    async refence() {
      const next = await refence(database, self);
      if (next === undefined || fence === undefined) return false;
      fence = next;
      return true;
    },
    lose,
    check() {
      if (fence !== undefined && !isValid()) lose("lease_expired");
    },
    async start() {
      await tick();
      await recovering;
      schedule();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await ticking;
      const mine = held();
      const wasOwner = fence !== undefined;
      fence = undefined;
      for (const partition of mine) drop(partition, "stopped");
      await recovering;
      if (!wasOwner) return;
      try {
        await release(database, mine);
        await leave(database, self);
      } catch (error) {
        logger.warn({ err: error }, "the lease could not be given back; others take over when it has run out");
      }
    },
  };
}

/** The owners in order of their names get one more each until nothing is left over. */
export function fairShare(partitionCount: number, owners: readonly string[], owner: string): number {
  const rank = owners.indexOf(owner);
  if (rank === -1) return 0;
  const rest = partitionCount % owners.length;
  return Math.floor(partitionCount / owners.length) + (rank < rest ? 1 : 0);
}
