import { SHARDS, shardOf } from "@heddle/shards";
import type { Dial, PartitionDirectory, PartitionOwner } from "@heddle/rpc";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import type { SchedulerContext } from "../context.ts";
import type { SchedulerLimits } from "../limits.ts";
import type { SchedulerMetrics } from "../metrics.ts";
import { createSessions, shuttingDown, type Sessions } from "../sessions.ts";
import type { Clock } from "../turn.ts";
import { createLoneOwnership } from "./alone.ts";
import { shardNotOwned } from "./not-owned.ts";
import { createOwnedShard, type OwnedShard } from "./owned-shard.ts";
import { createOwnerRecord } from "./owner-record.ts";
import { createOwnership, type OwnershipHooks } from "./ownership.ts";
import type { ShardOwnership } from "./shards.ts";

export interface ShardSetOptions {
  /** Where the leases are; absent for a process that is alone, which then needs `nextEpoch`. */
  database: Database | undefined;
  nextEpoch: (() => Promise<bigint>) | undefined;
  owner: string;
  address: string;
  dial: Dial | undefined;
  limits: SchedulerLimits;
  clock: Clock;
  logger: Logger;
  metrics: SchedulerMetrics | undefined;
  onSuperseded?: () => void;
}

/** Where the streams and calls of a shard belong at this moment. */
export type Place =
  | { here: SchedulerContext }
  | {
      here: undefined;
      owner: PartitionOwner;
      /** Aborts when another replica has become the owner. To be ended when it is of no interest any more. */
      watch(): { signal: AbortSignal; end(): void };
      /** It could not be reached: others wait for what becomes of it, and are not sent there, for `ownerFreshMs`. */
      suspect(): void;
    };

/** The shards of this replica, and what it knows of those of others. */
export interface ShardSet extends ShardOwnership {
  readonly limits: SchedulerLimits;
  /** Those that it owns, also while its lease has run out. */
  contexts(): Iterable<SchedulerContext>;
  findContext(shard: number): SchedulerContext | undefined;
  /**
   * Where the shard is; waits while it is between two owners.
   * @throws DomainError SHARD_NOT_OWNED after `ownerWaitMaxMs`; with `hereOnly`, at once when it is another replica's
   */
  locate(shard: number, signal: AbortSignal, hereOnly: boolean): Promise<Place>;
  /** Live owners of shards that are not this replica's, each once. @throws DomainError SHARD_NOT_OWNED when a shard has none */
  listRemoteOwners(): PartitionOwner[];
  /** For calls that are passed on. */
  readonly directory: PartitionDirectory;
  /** Streams that are passed on to other replicas. */
  readonly passedOn: Sessions;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createShardSet(options: ShardSetOptions): ShardSet {
  const { database, nextEpoch, owner, address, dial, limits, clock, logger, metrics } = options;
  const shards = new Map<number, OwnedShard>();
  const epochs = new Map<number, bigint>();
  const record = createOwnerRecord();
  const passedOn = createSessions();
  const listeners = new Set<() => void>();
  let stopped = false;

  const changed = (): void => {
    for (const listener of listeners) listener();
  };

  const raiseEpoch = async (shard: number): Promise<bigint | undefined> => {
    const epoch = await ownership.raiseEpoch(shard);
    if (epoch === undefined || !shards.has(shard)) return undefined;
    epochs.set(shard, epoch);
    changed();
    return epoch;
  };

  const remove = (shard: number): OwnedShard | undefined => {
    const owned = shards.get(shard);
    shards.delete(shard);
    epochs.delete(shard);
    return owned;
  };

  const hooks: OwnershipHooks = {
    seen: (membership) => record.update(membership),
    taken({ shard, epoch }) {
      const owned = createOwnedShard({
        shard,
        epoch,
        limits,
        clock,
        logger,
        metrics,
        isLeaseValid: () => ownership.isValid(),
        pulses: address !== "",
        nextEpoch: () => raiseEpoch(shard),
      });
      shards.set(shard, owned);
      epochs.set(shard, epoch);
      logger.info({ shard, epoch: String(epoch) }, "took over a shard");
      changed();
    },
    async giveUp(shard) {
      const owned = remove(shard);
      changed();
      await owned?.giveUp(shardNotOwned(shard, undefined));
    },
    lost(shard) {
      remove(shard)?.drop(shardNotOwned(shard, undefined));
      changed();
    },
    resumed() {
      for (const owned of shards.values()) owned.resume();
      changed();
    },
    superseded: () => options.onSuperseded?.(),
    cutOff() {
      for (const [shard, { context }] of shards) context.sessions.closeAll(shardNotOwned(shard, undefined));
    },
  };
  const ownership =
    database === undefined
      ? createLoneOwnership(nextEpoch ?? missingEpoch, hooks)
      : createOwnership({ database, owner, address, limits, logger, hooks });

  const isOwned = (shard: number): boolean => shards.has(shard) && ownership.isValid();

  const findRemote = (shard: number): PartitionOwner | undefined => {
    const found = record.findOwner(shard, limits.ownerFreshMs);
    return found === undefined || found.owner === owner || found.address === "" ? undefined : found;
  };

  /** Resolves at the next look at the record, when the wait is over, or when nobody waits any more. */
  const nextLook = (signal: AbortSignal, afterMs: number): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        endUpdate();
        listeners.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, afterMs);
      const endUpdate = record.onUpdate(done);
      listeners.add(done);
      signal.addEventListener("abort", done, { once: true });
      ownership.lookSoon();
    });

  const watchOwner = (shard: number, expected: PartitionOwner) => {
    const abort = new AbortController();
    const look = () => {
      if (record.findOwner(shard, 0)?.owner !== expected.owner) abort.abort();
    };
    const endUpdate = record.onUpdate(look);
    return { signal: abort.signal, end: endUpdate };
  };

  return {
    limits,
    isOwner: (namespace) => isOwned(shardOf(namespace)),
    ownedShards: () => (ownership.isValid() ? [...shards.keys()].sort((a, b) => a - b) : []),
    findEpoch: (shard) => (isOwned(shard) ? epochs.get(shard) : undefined),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    *contexts() {
      for (const { context } of shards.values()) yield context;
    },
    findContext: (shard) => shards.get(shard)?.context,
    async locate(shard, signal, hereOnly) {
      const waitUntil = performance.now() + limits.ownerWaitMaxMs;
      for (;;) {
        if (stopped) throw shuttingDown();
        const context = shards.get(shard)?.context;
        if (context !== undefined && ownership.isValid()) return { here: context };
        const remote = context === undefined ? findRemote(shard) : undefined;
        if (remote !== undefined && (hereOnly || dial === undefined)) throw shardNotOwned(shard, remote);
        if (remote !== undefined) {
          return {
            here: undefined,
            owner: remote,
            watch: () => watchOwner(shard, remote),
            suspect: () => record.suspect(remote.owner, limits.ownerFreshMs),
          };
        }
        const leftMs = waitUntil - performance.now();
        if (leftMs <= 0 || signal.aborted) throw shardNotOwned(shard, undefined);
        await nextLook(signal, leftMs);
      }
    },
    listRemoteOwners() {
      const owners = new Map<string, PartitionOwner>();
      for (let shard = 0; shard < SHARDS; shard++) {
        if (isOwned(shard)) continue;
        const remote = findRemote(shard);
        if (remote === undefined) throw shardNotOwned(shard, undefined);
        owners.set(remote.owner, remote);
      }
      return [...owners.values()];
    },
    directory: {
      owner,
      isOwned,
      async findOwner(shard, { fresh = false } = {}) {
        const known = record.findOwner(shard, 0);
        if (known !== undefined && !fresh) return known;
        await nextLook(AbortSignal.timeout(limits.ownerRenewIntervalMs), limits.ownerRenewIntervalMs);
        return record.findOwner(shard, 0);
      },
      isLive: (name) => record.isLive(name),
      onOwnersChange: (listener) => record.onUpdate(listener),
    },
    passedOn,
    start: () => ownership.start(),
    async stop() {
      stopped = true;
      const reason = shuttingDown();
      passedOn.closeAll(reason);
      const leaving = [...shards.values()].map((owned) => owned.giveUp(reason));
      shards.clear();
      epochs.clear();
      // Whoever waits for an owner finds that there is none here.
      changed();
      await Promise.all(leaving);
      await ownership.stop();
    },
  };
}

function missingEpoch(): never {
  throw new Error(
    "createSchedulerService needs `database`, or `epoch` in its place: fencing tokens must grow over restarts",
  );
}
