import type { Metrics } from "@heddle/telemetry";
import { closedError } from "../closed-error.ts";
import type { EventBus, ParkPoison, Subscription } from "../event-bus.ts";
import { defaultKafkaBusLimits, type KafkaBusLimits } from "../limits.ts";
import { createBusMetrics } from "./bus-metrics.ts";
import { createIdempotentSender } from "./idempotent-sender.ts";
import { createKafkaClient, type KafkaClient, type KafkaClientOptions } from "./kafka-client.ts";
import { type BusLogger, silentLogger } from "../bus-log.ts";
import type { KafkaSecurity } from "./kafka-security.ts";
import { createKafkaPublisher } from "./kafka-publisher.ts";
import { createKafkaSubscription } from "./kafka-subscription.ts";
import type { TopicConfig } from "./topic-config.ts";
import { createTopicRegistry } from "./topic-registry.ts";

export interface KafkaBusOptions {
  /** `host:port` of one broker at least; the others are learnt from it. Nobody needs to be there yet. */
  brokers: readonly string[];
  /** Names this process in the broker's logs, metrics and quotas. */
  clientId: string;
  /** How topics are made that are missing when they are first used. See `readTopicsFile`. */
  topics: readonly TopicConfig[];
  /** Default: in cleartext, as nobody. */
  security?: KafkaSecurity | undefined;
  logger?: BusLogger;
  metrics?: Metrics;
  /**
   * Where events go that no broker takes, for their size, as group `publisher` and partition -1: those behind them then
   * go on. Without it `publish` rejects with EVENT_TOO_LARGE, each time again, until a limit is raised.
   */
  parkRefused?: ParkPoison;
  limits?: Partial<KafkaBusLimits>;
}

const BROKER = /^[^\s:]+:\d{1,5}$/;

/**
 * The bus over Apache Kafka. Waits through outages: `publish` until the broker acknowledges, and then in the order of
 * the calls; consumers until they can join again. A durable group that is new begins with the oldest message of each
 * partition; one that is not durable with what comes after it subscribed, and is deleted when its last member closes.
 */
export function createKafkaBus(options: KafkaBusOptions): EventBus {
  const { brokers, clientId, logger = silentLogger } = options;
  const limits = { ...defaultKafkaBusLimits, ...options.limits };
  const bad = brokers.find((broker) => !BROKER.test(broker));
  if (brokers.length === 0 || bad !== undefined)
    throw new RangeError(`brokers has ${bad === undefined ? "none" : JSON.stringify(bad)}; write host:port of each`);
  const client = (retries: KafkaClientOptions["retries"]): KafkaClient =>
    createKafkaClient({ brokers, clientId, security: options.security, logger, limits, retries });
  const metrics = createBusMetrics(options.metrics);
  // Not only when they are first published to: by the time that somebody looks, the first event may have been refused.
  for (const { name } of options.topics) metrics.publishes(name);
  const topics = createTopicRegistry({ client: client("persistently"), topics: options.topics, logger, limits });
  const publisher = createKafkaPublisher({
    sender: createIdempotentSender(() => client("briefly")),
    topics,
    parkRefused: options.parkRefused,
    metrics,
    logger,
    limits,
  });
  const subscriptions = new Set<Subscription>();
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await Promise.all([publisher.close(), ...[...subscriptions].map((subscription) => subscription.close())]);
    topics.close();
  }

  return {
    publish: (batch) => publisher.publish(batch),
    subscribe(subscribed) {
      if (closing !== undefined) throw closedError();
      if (subscribed.topics.length === 0) throw new RangeError(`group ${subscribed.group} names no topic`);
      const inner = createKafkaSubscription(subscribed, {
        createClient: () => client("persistently"),
        topics,
        metrics,
        watchesLag: options.metrics !== undefined,
        logger,
        limits,
      });
      const subscription: Subscription = {
        async close() {
          await inner.close();
          subscriptions.delete(subscription);
        },
      };
      subscriptions.add(subscription);
      return subscription;
    },
    // Whoever comes later finds it on the broker.
    hasConsumers: () => true,
    close: () => (closing ??= close()),
  };
}
