import { setTimeout as sleep } from "node:timers/promises";
import type { Core } from "./core.ts";
import { type Membership, type OwnerIdentity, releaseAllBut, take } from "./lease.ts";
import type { LeaseSession } from "./lease-session.ts";
import { createPartition, type Partition } from "./partition.ts";
import { readLastOffset } from "./read.ts";
import { recoverPartitions } from "./recovery.ts";
import type { PartitionLossReason } from "./types.ts";

export interface AssignmentHooks<State, Command> {
  recovered(partition: Partition<State, Command>): void;
  /** Forget the partition; it is in `core.partitions` no more. */
  dropped(partition: Partition<State, Command>, reason: PartitionLossReason): void;
  /** Resolves when no flush of the commit loop is under way. */
  rest(): Promise<void>;
  flushProjection(): Promise<void>;
  /** Whether calls for a partition are handled here has changed. */
  changed(): void;
}

/** Brings what this process has in memory to its share. */
export interface Assignment {
  /** Takes or gives back partitions as `membership` asks for. At most one such step is under way. */
  balance(self: OwnerIdentity, membership: Membership, mayTakeOver: boolean): void;
  /** Forgets everything that is in memory. */
  dropAll(reason: PartitionLossReason): void;
  /** Resolves when nothing of the above and no recovery is under way. */
  settled(): Promise<void>;
  held(): number;
}

const RECOVERY_RETRY_MS = 200;
/** Giving back waits this long for the projection; the next owner replays what is missing. */
const PROJECT_FIRST_MS = 1_000;

export function createAssignment<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  session: LeaseSession,
  hooks: AssignmentHooks<State, Command>,
  isCurrent: (self: OwnerIdentity) => boolean,
): Assignment {
  const { logger } = core;
  let stepping: Promise<void> | undefined;
  let recovering: Promise<void> = Promise.resolve();

  const held = (): Partition<State, Command>[] => core.partitions.filter((partition) => partition !== undefined);

  const drop = (partition: Partition<State, Command>, reason: PartitionLossReason): void => {
    if (core.partitions[partition.number] !== partition) return;
    core.partitions[partition.number] = undefined;
    hooks.dropped(partition, reason);
  };

  const step = async (self: OwnerIdentity, membership: Membership, mayTakeOver: boolean): Promise<void> => {
    const isGone = ({ expiresInMs }: { expiresInMs: number }): boolean => mayTakeOver && expiresInMs <= 0;
    // One whose lease has run out while this process was away as well is likely to be back in a moment.
    const owners = membership.owners.filter((other) => other.owner === self.owner || !isGone(other));
    const names = new Set(owners.map(({ owner }) => owner));
    const mine = held();
    const share = fairShare(core.partitionCount, [...names], self.owner);
    const isFree = (owner: string | null): boolean => owner === null || owner === self.owner || !names.has(owner);
    const absent = membership.partitions.filter(({ partition }) => core.partitions[partition] === undefined);
    if (mine.length < share && absent.some(({ owner }) => isFree(owner))) {
      await takeSome(self, share - mine.length, mayTakeOver);
    } else if (mine.length > share) {
      await giveBack(
        self,
        mine.slice(share - mine.length).filter((partition) => partition.status === "active"),
      );
    } else if (absent.some(({ owner }) => owner === self.owner)) {
      // They were given back, and the statement that says so was lost.
      await release(self);
    }
  };

  const takeSome = async (self: OwnerIdentity, count: number, mayTakeOver: boolean): Promise<void> => {
    const numbers = held().map((partition) => partition.number);
    const taken = await take(session, self, count, numbers, mayTakeOver);
    // The lease may have been lost while the statement was under way.
    if (!isCurrent(self) || taken.length === 0) return;
    const fresh = taken.map((row) => {
      const partition = createPartition<State, Command>(row);
      core.partitions[row.partition] = partition;
      return partition;
    });
    hooks.changed();
    recovering = Promise.all([recovering, recover(fresh)]).then(() => undefined);
  };

  const recover = async (taken: Partition<State, Command>[]): Promise<void> => {
    const isStill = (partition: Partition<State, Command>): boolean => core.partitions[partition.number] === partition;
    for (let partitions = taken; partitions.length > 0; partitions = partitions.filter(isStill)) {
      try {
        // Whatever earlier owners wrote and published is below what this one will write.
        const last = await readLastOffset(core.database);
        // Not while a flush with an older offset is under way: it would fall behind what counts as done.
        await hooks.rest();
        core.lastOffset = Math.max(core.lastOffset, last);
        await recoverPartitions(core, partitions, isStill);
        for (const partition of partitions.filter(isStill)) {
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

  /**
   * Most is projected while commands still go on; then, in order: no new commands, the flush under way ends, and others
   * may take over. What is refused in between is passed on to the next owner by whoever submitted it.
   */
  const giveBack = async (self: OwnerIdentity, partitions: Partition<State, Command>[]): Promise<void> => {
    if (partitions.length === 0) return;
    const projected = hooks.flushProjection().catch((error: unknown) => {
      logger.warn({ err: error }, "partitions are given back before they were projected");
    });
    await Promise.race([projected, sleep(PROJECT_FIRST_MS, undefined, { ref: false })]);
    if (!isCurrent(self)) return;
    for (const partition of partitions) if (partition.status === "active") partition.status = "releasing";
    hooks.changed();
    await hooks.rest();
    for (const partition of partitions) drop(partition, "released");
    await release(self);
  };

  const release = async (self: OwnerIdentity): Promise<void> => {
    if (!isCurrent(self)) return;
    await releaseAllBut(
      session,
      self,
      held().map((partition) => partition.number),
    );
  };

  return {
    balance(self, membership, mayTakeOver) {
      if (stepping !== undefined) return;
      stepping = step(self, membership, mayTakeOver)
        .catch((error: unknown) => logger.warn({ err: error }, "partitions could not be shared out; trying again"))
        .finally(() => {
          stepping = undefined;
        });
    },
    dropAll(reason) {
      for (const partition of held()) drop(partition, reason);
    },
    async settled() {
      await stepping;
      await recovering;
    },
    held: () => held().length,
  };
}

/** The owners in order of their names get one more each until nothing is left over. */
export function fairShare(partitionCount: number, owners: readonly string[], owner: string): number {
  const rank = owners.indexOf(owner);
  if (rank === -1) return 0;
  const rest = partitionCount % owners.length;
  return Math.floor(partitionCount / owners.length) + (rank < rest ? 1 : 0);
}
