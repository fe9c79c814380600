import { randomUUID } from "node:crypto";
import { SHARDS } from "@heddle/shards";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import type { SchedulerLimits } from "../limits.ts";
import { createLeaseConnection } from "../store/lease-connection.ts";
import {
  isSuperseded,
  join,
  leave,
  lockAssignment,
  type Membership,
  type OwnerIdentity,
  raiseEpoch,
  readMembership,
  release,
  renew,
  take,
  type TakenShard,
} from "../store/shard-leases.ts";
import { fairShare } from "./fair-share.ts";

export interface OwnershipOptions {
  database: Database;
  owner: string;
  address: string;
  limits: SchedulerLimits;
  logger: Logger;
  hooks: OwnershipHooks;
}

export interface OwnershipHooks {
  /** The record was read. */
  seen(membership: Membership): void;
  taken(taken: TakenShard): void;
  /** Gives a shard up in order: resolves when nothing of it leaves this process any more. */
  giveUp(shard: number): Promise<void>;
  /** The shard is, or may be, another's: nothing of it may leave this process from now on. */
  lost(shard: number): void;
  /** The lease had run out, and nobody has taken anything meanwhile. */
  resumed(): void;
  /** The lease has run out for so long that those who are connected had better look elsewhere. */
  cutOff(): void;
  /** A newer process of the same name has everything; this one will own nothing any more. */
  superseded(): void;
}

/** Keeps this replica among the owners, and its fair share of the shards with it. */
export interface Ownership {
  /** Joins and takes the first share. @throws when the database cannot be reached */
  start(): Promise<void>;
  /** Gives everything back. Nothing of the shards may leave this process any more. */
  stop(): Promise<void>;
  /**
   * Whether the lease holds: by the monotonic clock, and over before others may take over. While it does not, nothing
   * may be sent; whether anything was lost is known when the database answers again.
   */
  isValid(): boolean;
  /** Somebody waits for an owner: the record is looked at soon. */
  lookSoon(): void;
  /** A new epoch for a shard that stays. Undefined when it is no longer owned. */
  raiseEpoch(shard: number): Promise<bigint | undefined>;
}

export function createOwnership({ database, owner, address, limits, logger, hooks }: OwnershipOptions): Ownership {
  const connection = createLeaseConnection(database, limits.ownerLeaseMs);
  const held = new Map<number, TakenShard>();
  /** Given up here, and not yet in the record. */
  let unreleased: TakenShard[] = [];
  let self: OwnerIdentity = { owner, incarnation: randomUUID() };
  let joined = false;
  let superseded = false;
  /** Counted from before the renewal was sent: others count from when it arrived. */
  let validUntil = Number.NEGATIVE_INFINITY;
  let isCutOff = false;
  let mayTakeAt = 0;
  let nextOwnerDueMs = Infinity;
  let timer: NodeJS.Timeout | undefined;
  let timerDueAt = Infinity;
  let ticking: Promise<void> | undefined;
  let stopped = false;

  const isValid = (): boolean => joined && performance.now() < validUntil;

  const lose = (reason: string): void => {
    if (held.size > 0) logger.warn({ owner, reason, shards: [...held.keys()] }, "this replica lost its shards");
    const shards = [...held.keys()];
    held.clear();
    for (const shard of shards) hooks.lost(shard);
  };

  /** Two live processes of one name would take the shards from each other for ever: the newer one has them. */
  const supersede = (): void => {
    lose("superseded");
    superseded = true;
    joined = false;
    logger.error({ owner }, "another process runs under this owner name, so this one owns nothing; give each its own");
    hooks.superseded();
  };

  const enter = async (): Promise<void> => {
    self = { owner, incarnation: randomUUID() };
    await connection.transaction(async (transaction) => {
      await lockAssignment(transaction);
      await join(transaction, self, address, limits.ownerLeaseMs);
    });
    joined = true;
  };

  const renewLease = async (): Promise<void> => {
    const began = performance.now();
    const hadLapsed = joined && began >= validUntil;
    if (!joined) {
      await enter();
    } else if (!(await renew(connection, self, limits.ownerLeaseMs))) {
      if (await isSuperseded(connection, self)) return supersede();
      lose("others took over");
      await enter();
    }
    validUntil = began + limits.ownerLeaseMs - limits.ownerLeaseMarginMs;
    isCutOff = false;
    if (!hadLapsed || stopped) return;
    // Others were cut off for as long, perhaps: they get the time to come back before anything is taken from them.
    mayTakeAt = performance.now() + limits.ownerLeaseMs;
    hooks.resumed();
  };

  const balance = async ({ owners, shards }: Membership): Promise<void> => {
    await releaseAll();
    const names = owners.map((each) => each.owner);
    const share = fairShare(SHARDS, names, owner);
    const free = shards.some((row) => !held.has(row.shard) && isFree(row.owner, names));
    if (held.size < share && free && performance.now() >= mayTakeAt) {
      const taken = await connection.transaction(async (transaction) => {
        await lockAssignment(transaction);
        return await take(transaction, self, share - held.size, [...held.keys()]);
      });
      for (const each of taken) {
        held.set(each.shard, each);
        if (!stopped) hooks.taken(each);
      }
      if (taken.length > 0) hooks.seen(await readMembership(connection));
    } else if (held.size > share) {
      await giveBack([...held.values()].slice(share - held.size));
    }
  };
  const isFree = (holder: string | null, names: readonly string[]): boolean =>
    holder === null || holder === owner || !names.includes(holder);

  /** Nothing leaves any more, and only then others may take over. */
  const giveBack = async (shards: TakenShard[]): Promise<void> => {
    logger.info({ owner, shards: shards.map(({ shard }) => shard) }, "giving shards to other replicas");
    for (const { shard } of shards) held.delete(shard);
    unreleased.push(...shards);
    await Promise.all(shards.map(({ shard }) => hooks.giveUp(shard)));
    await releaseAll();
  };

  const releaseAll = async (): Promise<void> => {
    if (unreleased.length === 0) return;
    await release(connection, unreleased);
    unreleased = [];
  };

  const tick = async (): Promise<void> => {
    if (!superseded) await renewLease();
    const membership = await readMembership(connection);
    if (stopped) return;
    nextOwnerDueMs = Math.min(
      ...membership.owners.filter((each) => each.owner !== owner).map(({ expiresInMs }) => expiresInMs),
    );
    hooks.seen(membership);
    if (!superseded) await balance(membership);
  };

  const run = (): void => {
    timer = undefined;
    timerDueAt = Infinity;
    ticking = tick().then(
      // What is due to run out is looked at when it does: who takes over should do so at once.
      () => schedule(nextOwnerDueMs > 0 ? Math.min(limits.ownerRenewIntervalMs, nextOwnerDueMs + 1) : 0),
      (err: unknown) => {
        logger.warn({ err, owner }, "the lease on the shards could not be renewed; trying again");
        const lapsedMs = performance.now() - validUntil;
        if (joined && !isCutOff && lapsedMs >= limits.streamsKeptWithoutLeaseMs) {
          isCutOff = true;
          hooks.cutOff();
        }
        schedule(limits.ownerRetryIntervalMs);
      },
    );
    void ticking.then(() => (ticking = undefined));
  };

  const schedule = (afterMs: number): void => {
    const dueAt = performance.now() + afterMs;
    if (stopped || dueAt >= timerDueAt) return;
    clearTimeout(timer);
    timerDueAt = dueAt;
    timer = setTimeout(run, afterMs);
  };

  return {
    isValid,
    lookSoon() {
      // While one look is under way, the next one is scheduled at its end.
      if (ticking === undefined) schedule(limits.ownerLookIntervalMs);
      else void ticking.then(() => schedule(limits.ownerLookIntervalMs));
    },
    async raiseEpoch(shard) {
      const current = held.get(shard);
      if (current === undefined) return undefined;
      const epoch = await raiseEpoch(database, current);
      if (epoch === undefined || held.get(shard) !== current) return undefined;
      held.set(shard, { shard, epoch });
      return epoch;
    },
    async start() {
      try {
        await tick();
      } catch (error) {
        await connection.close();
        throw error;
      }
      schedule(limits.ownerRenewIntervalMs);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await ticking;
      unreleased.push(...held.values());
      held.clear();
      try {
        await releaseAll();
        if (joined) await leave(connection, self);
      } catch (err) {
        logger.warn({ err, owner }, "the shards could not be given back; others take over when the lease has run out");
      }
      joined = false;
      await connection.close();
    },
  };
}
