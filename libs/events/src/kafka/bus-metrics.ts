import type { Labels, Metrics } from "@heddle/telemetry";

/** What the bus counts. Without a registry it counts for nobody. */
export interface BusMetrics {
  /** Says that a topic is published to: from then on its series are there, so that alerts see their first event. */
  publishes(topic: string): void;
  /** The same for a group. */
  consumes(group: string, topics: readonly string[]): void;
  published(topic: string, messages: number): void;
  publishRetried(): void;
  refused(topic: string): void;
  redelivered(group: string, topic: string, messages: number): void;
  postponed(group: string, topic: string): void;
  parked(group: string, topic: string): void;
  consumerRestarted(group: string): void;
  /** Asks `read` for the lags whenever somebody looks. Gives the way to end that. */
  watchLag(read: () => Iterable<[Labels, number]>): () => void;
}

export function createBusMetrics(metrics: Metrics | undefined): BusMetrics {
  if (metrics === undefined) return { ...silent, watchLag: () => ignore };
  const published = metrics.counter("heddle_events_published_total", "Events that the broker acknowledged.", ["topic"]);
  const retries = metrics.counter("heddle_events_publish_retries_total", "Produce requests that were made again.");
  const refused = metrics.counter(
    "heddle_events_refused_total",
    "Events that no broker takes, as they are too large.",
    ["topic"],
  );
  const redelivered = metrics.counter(
    "heddle_events_redelivered_total",
    "Events whose delivery failed: each comes again, or is parked.",
    ["group", "topic"],
  );
  const postponed = metrics.counter(
    "heddle_events_postponed_total",
    "Deliveries that met an outage: the event waits, and those behind it, until it is over.",
    ["group", "topic"],
  );
  const parked = metrics.counter("heddle_events_parked_total", "Events that were parked as poison.", [
    "group",
    "topic",
  ]);
  const restarts = metrics.counter("heddle_consumer_restarts_total", "Consumers that broke down and were built anew.", [
    "group",
  ]);
  const readers = new Set<() => Iterable<[Labels, number]>>();
  metrics.gauge("heddle_consumer_lag", "Events behind the end of a partition that its group has not handled.", () =>
    [...readers].flatMap((read) => [...read()]),
  );
  return {
    publishes(topic) {
      published.add(0, { topic });
      refused.add(0, { topic });
    },
    consumes(group, topics) {
      restarts.add(0, { group });
      for (const topic of topics) {
        redelivered.add(0, { group, topic });
        postponed.add(0, { group, topic });
        parked.add(0, { group, topic });
      }
    },
    published: (topic, messages) => published.add(messages, { topic }),
    publishRetried: () => retries.add(),
    refused: (topic) => refused.add(1, { topic }),
    redelivered: (group, topic, messages) => redelivered.add(messages, { group, topic }),
    postponed: (group, topic) => postponed.add(1, { group, topic }),
    parked: (group, topic) => parked.add(1, { group, topic }),
    consumerRestarted: (group) => restarts.add(1, { group }),
    watchLag(read) {
      readers.add(read);
      return () => void readers.delete(read);
    },
  };
}

const silent = {
  publishes: ignore,
  consumes: ignore,
  published: ignore,
  publishRetried: ignore,
  refused: ignore,
  redelivered: ignore,
  postponed: ignore,
  parked: ignore,
  consumerRestarted: ignore,
};

function ignore(): void {}
