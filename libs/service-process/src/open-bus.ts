import { createKafkaBus, type EventBus, readTopicsFile } from "@heddle/events";
import { DomainError } from "@heddle/errors";
import type { ProcessContext } from "./serve.ts";

export interface BusValues {
  KAFKA_BROKERS: readonly string[];
  HEDDLE_TOPICS_FILE?: string;
}

/** The bus that processes share, Kafka; closed at the end of the process. The brokers need not be there yet. */
export async function openBus<V extends BusValues, D>(
  clientId: string,
  { config, logger, metrics, onClose }: Pick<ProcessContext<V, D>, "config" | "logger" | "metrics" | "onClose">,
): Promise<EventBus> {
  const { KAFKA_BROKERS: brokers, HEDDLE_TOPICS_FILE: file } = config;
  const topics = file === undefined ? [] : await readTopics(file);
  const bus = createKafkaBus({ brokers, clientId, topics, logger, metrics });
  onClose(() => bus.close());
  return bus;
}

async function readTopics(file: string): ReturnType<typeof readTopicsFile> {
  try {
    return await readTopicsFile(file);
  } catch (cause) {
    throw new DomainError({
      kind: "invalid_argument",
      reason: "CONFIG_INVALID",
      message: `the file of HEDDLE_TOPICS_FILE cannot be used: ${(cause as Error).message}`,
      cause,
    });
  }
}
