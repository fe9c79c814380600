import type { EventBus, KafkaBusOptions, TopicConfig } from "@heddle/events";
import { DomainError } from "@heddle/errors";
import { type KafkaValues, kafkaSecurity } from "./kafka-security.ts";
import type { ProcessContext } from "./serve.ts";

export interface BusValues extends KafkaValues {
  KAFKA_BROKERS: readonly string[];
  KAFKA_TOPIC_PREFIX?: string;
  HEDDLE_TOPICS_FILE?: string;
}

/** The bus that processes share, Kafka; closed at the end of the process. The brokers need not be there yet. */
export async function openBus<V extends BusValues, D>(
  clientId: string,
  { config, logger, metrics, onClose }: Pick<ProcessContext<V, D>, "config" | "logger" | "metrics" | "onClose">,
  options: Pick<KafkaBusOptions, "parkRefused"> = {},
): Promise<EventBus> {
  const { KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: prefix = "", HEDDLE_TOPICS_FILE: file } = config;
  // Loaded here: what has no bus need not load its client, which takes as long as everything else together.
  const { createKafkaBus, parkWithoutPrefix, prefixTopics, readTopicsFile } = await import("@heddle/events");
  const named = file === undefined ? [] : await readTopics(file, readTopicsFile);
  const topics = named.map((topic) => ({ ...topic, name: prefix + topic.name }));
  const parkRefused = options.parkRefused && parkWithoutPrefix(options.parkRefused, prefix);
  const security = kafkaSecurity(config);
  const bus = createKafkaBus({
    ...(parkRefused && { parkRefused }),
    brokers,
    security,
    clientId,
    topics,
    logger,
    metrics,
  });
  onClose(() => bus.close());
  return prefixTopics(bus, prefix);
}

async function readTopics(file: string, read: (path: string) => Promise<TopicConfig[]>): Promise<TopicConfig[]> {
  try {
    return await read(file);
  } catch (cause) {
    throw new DomainError({
      kind: "invalid_argument",
      reason: "CONFIG_INVALID",
      message: `the file of HEDDLE_TOPICS_FILE cannot be used: ${(cause as Error).message}`,
      cause,
    });
  }
}
