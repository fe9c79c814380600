import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { AppendLease, Tenure } from "./append.ts";
import { type AssignmentHooks, createAssignment } from "./assignment.ts";
import type { Core } from "./core.ts";
import { databaseAway } from "./errors.ts";
import { isSuperseded, join, leave, type Membership, type OwnerIdentity, readMembership, renew } from "./lease.ts";
import { createLeaseSession } from "./lease-session.ts";
import type { Owners } from "./owners.ts";
import type { PartitionLossReason } from "./types.ts";

export interface OwnershipHooks<State, Command> extends AssignmentHooks<State, Command> {
  /** A newer process of the same name is there: this one has stopped for good. */
  superseded(): void;
}

export interface Ownership extends AppendLease {
  /** Joins, takes the first share and recovers it. */
  start(): Promise<void>;
  /** Takes nothing more, and does not sit out an outage any longer. */
  wane(): void;
  /** Gives everything back. Nothing may be under way any more. */
  stop(): Promise<void>;
  /** Whether nobody can have taken partitions from this process yet: what is in memory is true. */
  isValid(): boolean;
  /**
   * Resolves when the lease is valid, or lost: look again which. Rejects with UNAVAILABLE when the database has been away
   * for longer than callers are kept waiting.
   */
  whenSure(): Promise<void>;
  /** Resolves when it is sure that memory was true at the time of the call, or that it cannot be known. */
  confirm(): Promise<boolean>;
  /** How long the lease has been in doubt, because the database was away. */
  inDoubtMs(): number;
}

export interface OwnershipOptions {
  owner: string;
  address: string;
  owners: Owners;
}

/** After a failure the next try comes sooner: an outage ends when the renewal after it succeeds. */
const RETRY_MS = 100;
/** Looks that notifications ask for are no closer than this. */
const NOTIFIED_MS = 5;

/**
 * Keeps this process among the owners, and its share of the partitions in memory.
 *
 * The row in journal_owners is what counts: whoever takes partitions away removes it first. While the row of this tenure
 * is there, memory is true, however long ago the lease has run out. So a lease that ran out is not lost but in doubt: the
 * next renewal finds out. Until then nothing is answered from memory alone; appends prove the row themselves.
 */
export function createOwnership<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  { owner, address, owners }: OwnershipOptions,
  hooks: OwnershipHooks<State, Command>,
): Ownership {
  const { database, limits, logger } = core;
  let tenure: Tenure | undefined;
  /** By the monotonic clock, counted from before the renewal was sent: others count from when it arrived. */
  let validUntil = 0;
  /** The database has answered in time ever since. */
  let answeringSince = Number.POSITIVE_INFINITY;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let lastIncarnation: string | undefined;
  let nextIncarnation: string = randomUUID();
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> | undefined;
  let tickAgain = false;
  let waning = false;
  let stopped = true;
  let waiters: (() => void)[] = [];

  const timeoutMs = Math.max(limits.leaseDurationMs - 2 * limits.leaseRenewIntervalMs, limits.leaseRenewIntervalMs);
  const renewals = createLeaseSession(database, {
    applicationName: `${database.schema}-lease`,
    timeoutMs,
    onNotified: () => wake(NOTIFIED_MS),
  });
  // Taking waits for locks of others, and a renewal must not wait behind it.
  const assignments = createLeaseSession(database, {
    applicationName: `${database.schema}-assignment`,
    timeoutMs: limits.assignmentTimeoutMs,
  });
  const assignment = createAssignment(core, assignments, hooks, (self) => tenure === self);

  const isValid = (): boolean => tenure !== undefined && performance.now() < validUntil;

  const wakeWaiters = (): void => {
    const waiting = waiters;
    waiters = [];
    for (const resume of waiting) resume();
  };

  const lose = (reason: PartitionLossReason): void => {
    if (tenure === undefined) return;
    lastIncarnation = tenure.incarnation;
    nextIncarnation = randomUUID();
    tenure = undefined;
    logger.warn({ owner, reason, partitions: assignment.held() }, "this process no longer owns its partitions");
    assignment.dropAll(reason);
    wakeWaiters();
    owners.changed();
  };

  /** Two live processes of one name would take the partitions from each other for ever: the newer one has them. */
  const supersede = (): void => {
    lose("superseded");
    stopped = true;
    logger.error({ owner }, "another process runs under this owner name, so this one stops; give each its own name");
    hooks.superseded();
  };

  const tick = async (): Promise<void> => {
    const began = performance.now();
    if (tenure === undefined) {
      if (lastIncarnation !== undefined && (await isSuperseded(renewals, owner, [lastIncarnation, nextIncarnation]))) {
        return supersede();
      }
      const self = { owner, incarnation: nextIncarnation };
      const fence = await join(assignments, self, address, limits.leaseDurationMs);
      if (stopped) return;
      tenure = { ...self, fence };
    } else {
      const self = tenure;
      const isThere = await renew(renewals, self, limits.leaseDurationMs);
      if (tenure !== self) return;
      if (!isThere) {
        const superseded = await isSuperseded(renewals, owner, [self.incarnation]);
        if (superseded) supersede();
        else lose("fenced");
        tickAgain = true;
        return;
      }
      if (performance.now() >= validUntil) logger.info({ owner }, "the lease is renewed; nothing was taken meanwhile");
    }
    validUntil = began + limits.leaseDurationMs - limits.leaseSafetyMarginMs;
    wakeWaiters();
    const membership = await readMembership(renewals);
    noteAnswer(began);
    owners.saw(membership);
    planNext(membership);
    if (tenure !== undefined && !waning) assignment.balance(tenure, membership, mayTakeOver());
  };

  const noteAnswer = (began: number): void => {
    const now = performance.now();
    // After a pause of this process, or of the whole machine, the others may need a moment to renew as well.
    if (began - answeredAt > limits.leaseDurationMs || answeringSince > now) answeringSince = now;
    answeredAt = now;
  };

  const mayTakeOver = (): boolean => performance.now() - answeringSince >= limits.takeoverGraceMs;

  let nextMs = limits.leaseRenewIntervalMs;
  /** The end of a dead owner's lease is looked for when it comes. */
  const planNext = ({ owners: all }: Membership): void => {
    nextMs = limits.leaseRenewIntervalMs;
    for (const other of all) {
      if (other.owner === owner) continue;
      if (other.expiresInMs > 0) nextMs = Math.min(nextMs, other.expiresInMs + NOTIFIED_MS);
      else if (!mayTakeOver()) nextMs = Math.min(nextMs, RETRY_MS);
    }
  };

  const run = (): void => {
    timer = undefined;
    if (stopped) return;
    if (ticking !== undefined) {
      tickAgain = true;
      return;
    }
    const began = performance.now();
    ticking = tick()
      .catch((error: unknown) => {
        answeringSince = Number.POSITIVE_INFINITY;
        nextMs = Math.min(RETRY_MS, limits.leaseRenewIntervalMs);
        const inDoubt = tenure !== undefined && !isValid();
        logger.warn({ err: error, inDoubt }, "the lease could not be renewed; trying again");
        if (waning && inDoubt) lose("lease_expired");
      })
      .finally(() => {
        ticking = undefined;
        const again = tickAgain;
        tickAgain = false;
        wake(again ? NOTIFIED_MS : Math.max(nextMs - (performance.now() - began), NOTIFIED_MS));
      });
  };

  /** A database that is away for a moment, or slow, is no reason not to start. */
  const joinAtLast = async (): Promise<void> => {
    for (const began = performance.now(); ; await sleep(RETRY_MS)) {
      try {
        await tick();
        return;
      } catch (error) {
        if (performance.now() - began > limits.outagePatienceMs) throw error;
        logger.warn({ err: error }, "the owners could not be joined; trying again");
      }
    }
  };

  let wakeAt = Number.POSITIVE_INFINITY;
  const wake = (inMs: number): void => {
    if (stopped) return;
    const at = performance.now() + inMs;
    if (timer !== undefined && wakeAt <= at) return;
    clearTimeout(timer);
    wakeAt = at;
    timer = setTimeout(run, inMs);
  };

  /** Resolves when the state of the lease has changed, at the latest after this long. */
  const change = (withinMs: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timeout);
        resolve();
      };
      const timeout = setTimeout(end, withinMs);
      waiters.push(end);
    });

  const inDoubtMs = (): number => (tenure === undefined || isValid() ? 0 : performance.now() - validUntil);

  return {
    tenure: () => tenure,
    hasGivenUp: (held) => waning && tenure !== held,
    refenced(held, fence) {
      if (tenure !== held) return false;
      held.fence = fence;
      return true;
    },
    lost(held) {
      if (tenure !== held) return;
      lose("fenced");
      wake(NOTIFIED_MS);
    },
    isValid,
    inDoubtMs,
    async whenSure() {
      const held = tenure;
      while (held !== undefined && tenure === held && !isValid()) {
        const leftMs = limits.outagePatienceMs - inDoubtMs();
        if (leftMs <= 0) throw databaseAway();
        await change(leftMs);
      }
    },
    async confirm() {
      const held = tenure;
      // Nothing is in memory then, and nothing rests on it.
      if (held === undefined) return true;
      while (tenure === held && !isValid()) await change(limits.leaseDurationMs);
      return tenure === held;
    },
    async start() {
      stopped = false;
      ticking = joinAtLast();
      try {
        await ticking;
      } catch (error) {
        stopped = true;
        renewals.close();
        assignments.close();
        throw error;
      } finally {
        ticking = undefined;
      }
      wake(nextMs);
      await assignment.settled();
    },
    wane() {
      waning = true;
      // Were the database away, what is under way would never end.
      if (tenure !== undefined && !isValid()) lose("lease_expired");
    },
    async stop() {
      const wasRunning = !stopped;
      stopped = true;
      clearTimeout(timer);
      await ticking;
      const last: OwnerIdentity | undefined = tenure;
      tenure = undefined;
      assignment.dropAll("stopped");
      wakeWaiters();
      await assignment.settled();
      if (wasRunning && last !== undefined) {
        await leave(assignments, last).catch((error: unknown) => {
          logger.warn({ err: error }, "the lease could not be given back; others take over when it has run out");
        });
      }
      renewals.close();
      assignments.close();
      owners.changed();
    },
  };
}
