import { defaultKafkaBusLimits, type KafkaBusLimits } from "../limits.ts";
import { createKafkaClient } from "./kafka-client.ts";
import { type BusLogger, silentLogger } from "../bus-log.ts";
import { createTopicRegistry } from "./topic-registry.ts";

export interface ConsumerLagOptions {
  brokers: readonly string[];
  group: string;
  topics: readonly string[];
  logger?: BusLogger;
  limits?: Partial<KafkaBusLimits>;
}

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** The next offset that the group would get; undefined when it never committed one. */
  readonly committedOffset: number | undefined;
  /** Offset behind the last message. */
  readonly endOffset: number;
  /** Messages between both; all up to the end for a group that never committed. */
  readonly lag: number;
}

/**
 * How far a group is behind, by what the broker knows: also of a group that has no member now. What a member has handled
 * and not committed yet counts as behind. Waits through outages.
 */
export async function listConsumerLag(options: ConsumerLagOptions): Promise<PartitionLag[]> {
  const { brokers, group, logger = silentLogger } = options;
  const limits = { ...defaultKafkaBusLimits, ...options.limits };
  const client = createKafkaClient({ brokers, clientId: "heddle-lag", logger, limits, retries: "persistently" });
  const topics = createTopicRegistry({ client, topics: [], logger, limits });
  try {
    await topics.ensure(options.topics);
    const found: PartitionLag[] = [];
    for (const topic of options.topics) {
      const committed = await topics.committedOffsets(group, topic);
      for (const [partition, endOffset] of await topics.endOffsets(topic)) {
        const committedOffset = committed.get(partition);
        const lag = Math.max(0, endOffset - (committedOffset ?? 0));
        found.push({ topic, partition, committedOffset, endOffset, lag });
      }
    }
    return found;
  } finally {
    topics.close();
  }
}
