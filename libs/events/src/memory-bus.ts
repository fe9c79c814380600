import type { DomainError } from "@heddle/errors";
import { closedError } from "./closed-error.ts";
import { createConsumerGroup, type ConsumerGroup } from "./consumer-group.ts";
import type { EventBus } from "./event-bus.ts";
import type { EventMessage } from "./event-message.ts";
import type { Receipt } from "./lane.ts";
import { type BusLogger, logPostponement, silentLogger } from "./bus-log.ts";
import { defaultBusLimits, defaultPartitions, maxPartitions, type BusLimits } from "./limits.ts";

export interface MemoryBusOptions {
  /** Partitions of every topic, 1 to 1024. Default 8. Members of a group share them, so it bounds how many of them have work. */
  partitions?: number;
  limits?: Partial<BusLimits>;
  /** Told of what holds up a group. Default: nobody. */
  logger?: BusLogger;
}

/**
 * A bus within one process, with the ordering, groups and redelivery of Kafka, and no storage: a group gets what is
 * published after its first member subscribed. Durability is the publisher's: `publish` resolves when every group has
 * handled or parked the batch, so a journal whose cursor moves only then gives again what a crash interrupted.
 * Subscribe durable groups before that publisher starts; stop it before the groups.
 */
export function createMemoryBus(options: MemoryBusOptions = {}): EventBus {
  const partitions = options.partitions ?? defaultPartitions;
  const logger = options.logger ?? silentLogger;
  const limits = { ...defaultBusLimits, ...options.limits };
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > maxPartitions) {
    throw new RangeError(`partitions is ${partitions}; use a whole number from 1 to ${maxPartitions}`);
  }
  const groups = new Map<string, ConsumerGroup>();
  const unsettled = new Set<(error: DomainError) => void>();
  let closed = false;
  /** Batches enter the queues one after the other: one that waits for room is not overtaken. */
  let admission: Promise<void> = Promise.resolve();

  async function admit(batch: readonly EventMessage[], receipt: Receipt): Promise<void> {
    for (const message of batch) {
      for (const group of groups.values()) {
        const lane = group.findLane(message.topic, message.key);
        if (lane === undefined) continue;
        while (lane.isFull()) await lane.room();
        if (closed) throw closedError();
        lane.push(message, receipt);
      }
    }
  }

  function createGroup(group: string): ConsumerGroup {
    return createConsumerGroup(partitions, limits, (topic, partition, postponement) =>
      logPostponement(logger, { group, topic, partition }, postponement),
    );
  }

  return {
    async publish(batch) {
      if (closed) throw closedError();
      if (!batch.some(({ topic }) => hasConsumers(topic))) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // Starts at one, so that it cannot settle before the whole batch is in.
      const receipt: Receipt = { remaining: 1, onSettled: resolve };
      unsettled.add(reject);
      admission = admission
        .then(() => admit(batch, receipt))
        .then(() => {
          if (--receipt.remaining === 0) resolve();
        }, reject);
      try {
        await promise;
      } finally {
        unsettled.delete(reject);
      }
    },
    subscribe(subscription) {
      if (closed) throw closedError();
      if (subscription.topics.length === 0) throw new RangeError(`group ${subscription.group} names no topic`);
      const name = subscription.group;
      const group = groups.get(name) ?? createGroup(name);
      groups.set(name, group);
      const leave = group.join(subscription);
      return {
        async close() {
          await leave();
          if (subscription.durable !== false || group.hasMembers() || groups.get(name) !== group) return;
          groups.delete(name);
          await group.close();
        },
      };
    },
    hasConsumers,
    async close() {
      if (closed) return;
      closed = true;
      for (const reject of unsettled) reject(closedError());
      await Promise.all([...groups.values()].map((group) => group.close()));
      groups.clear();
    },
  };

  function hasConsumers(topic: string): boolean {
    for (const group of groups.values()) if (group.hasTopic(topic)) return true;
    return false;
  }
}
