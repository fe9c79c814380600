import { setImmediate as turn } from "node:timers/promises";
import type { DomainError } from "@heddle/errors";
import type { Logger } from "@heddle/telemetry";
import type { SchedulerContext } from "../context.ts";
import { createSchedulerState } from "../domain/state.ts";
import { createLinkBrake } from "../link-brake.ts";
import type { SchedulerLimits } from "../limits.ts";
import type { SchedulerMetrics } from "../metrics.ts";
import { createSessions } from "../sessions.ts";
import { createTurns, type Clock } from "../turn.ts";
import { createEpochRenewal } from "./epoch-renewal.ts";

export interface OwnedShardOptions {
  shard: number;
  epoch: bigint;
  limits: SchedulerLimits;
  clock: Clock;
  logger: Logger;
  metrics: SchedulerMetrics | undefined;
  /** Whether the lease on the shards holds. */
  isLeaseValid(): boolean;
  /** Whether links are told that this replica lives. */
  pulses: boolean;
  nextEpoch(): Promise<bigint | undefined>;
}

/** The queues, workers and links of one shard, from the moment that it is taken until it is lost. */
export interface OwnedShard {
  readonly context: SchedulerContext;
  /** Ends all streams, after what waits in them, and leaves no timer behind. Resolves when nothing leaves any more. */
  giveUp(reason: DomainError): Promise<void>;
  /** The same at once: what waits stays here. */
  drop(reason: DomainError): void;
  /** The lease holds again, and everything is as it was: what has gathered meanwhile may leave. */
  resume(): void;
}

export function createOwnedShard(options: OwnedShardOptions): OwnedShard {
  const { shard, epoch, limits, clock, logger, isLeaseValid } = options;
  let owned = true;
  const maySend = (): boolean => owned && isLeaseValid();
  const state = createSchedulerState({ limits, epoch, nowMs: clock.now() });
  const brake = createLinkBrake(state);
  const counted = options.metrics?.count(state);
  const renewEpoch = createEpochRenewal(state.tokens, options.nextEpoch, logger);
  const turns = createTurns({
    state,
    clock,
    maySend,
    onTurn() {
      brake.check();
      counted?.tell();
      renewEpoch();
    },
  });
  const sessions = createSessions();
  const pulseIntervalMs = options.pulses ? limits.linkPulseIntervalMs : 0;
  const pulse = pulseIntervalMs === 0 ? undefined : setInterval(sendPulses, pulseIntervalMs);

  function sendPulses(): void {
    if (!maySend()) return;
    for (const owner of state.owners.values()) {
      owner.pulse = true;
      owner.wake();
    }
  }

  function end(reason: DomainError): void {
    clearInterval(pulse);
    turns.stop();
    sessions.closeAll(reason);
    brake.release();
    counted?.end();
  }

  return {
    context: { shard, state, clock, turns, sessions, brake, pulseIntervalMs, maySend },
    async giveUp(reason) {
      end(reason);
      // Streams take what waits for them in the turn in which they are woken.
      await turn();
      await turn();
      owned = false;
    },
    drop(reason) {
      owned = false;
      end(reason);
    },
    resume() {
      for (const owner of state.owners.values()) state.filled.add(owner);
      for (const { workers } of state.namespaces.values()) {
        for (const { outbox } of workers.values()) state.filled.add(outbox);
      }
      turns.request();
    },
  };
}
