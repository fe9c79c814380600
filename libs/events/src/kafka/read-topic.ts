import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { EachBatchPayload } from "kafkajs";
import type { EventMessage } from "../event-message.ts";
import { defaultKafkaBusLimits, type KafkaBusLimits } from "../limits.ts";
import { createKafkaClient, type KafkaClient } from "./kafka-client.ts";
import { type BusLogger, silentLogger } from "../bus-log.ts";
import type { KafkaSecurity } from "./kafka-security.ts";
import { fromKafkaMessage } from "./kafka-message.ts";

const JOIN_MAX_ATTEMPTS = 8;
const JOIN_PAUSE_MS = 100;
/** A broker that gives nothing for so long, although it has something, is as good as gone. */
const STALL_MS = 30_000;
const STALLED = `the broker has given nothing for ${STALL_MS / 1000} s; see whether it lives, and read again`;

export interface ReadTopicOptions {
  brokers: readonly string[];
  topic: string;
  /** Default `heddle-reader`. */
  clientId?: string;
  security?: KafkaSecurity | undefined;
  /** Messages of one partition, in order; partitions come mixed. Must not throw. */
  onMessages(messages: readonly EventMessage[], partition: number): void;
  signal?: AbortSignal;
  logger?: BusLogger;
  limits?: Partial<KafkaBusLimits>;
}

/** What a topic held when it was read. */
export interface TopicContents {
  /** Ascending, all of them. */
  partitions: ReadPartition[];
}

export interface ReadPartition {
  partition: number;
  /** Offset of the oldest message that is still there: above 0, retention has dropped some. */
  low: number;
  /** Offset behind the last message that was read. */
  high: number;
  /** When the oldest message was published, milliseconds since the epoch; undefined when there is none. */
  oldestAt: number | undefined;
}

/**
 * Reads a topic once, from the oldest message to those that were there at the beginning of the call, beside all groups and
 * without a trace. Rejects when the broker cannot be reached or the topic is not there.
 */
export async function readTopic(options: ReadTopicOptions): Promise<TopicContents> {
  const { brokers, topic, clientId = "heddle-reader", logger = silentLogger, signal } = options;
  const limits = { ...defaultKafkaBusLimits, ...options.limits };
  const clients: KafkaClient[] = [];
  // One for each: a client is ended as a whole, and the group is deleted when its consumer has gone.
  const createClient = (): KafkaClient => {
    const client = createKafkaClient({
      brokers,
      clientId,
      security: options.security,
      logger,
      limits,
      retries: "briefly",
    });
    clients.push(client);
    return client;
  };
  const abort = (): void => {
    for (const client of clients) client.destroy();
  };
  signal?.throwIfAborted();
  signal?.addEventListener("abort", abort, { once: true });
  const group = `${clientId}-${randomUUID()}`;
  const asking = createClient();
  const admin = asking.kafka.admin({ retry: asking.retry });
  try {
    await admin.connect();
    if (!(await admin.listTopics()).includes(topic)) throw missing(topic);
    const found = await admin.fetchTopicOffsets(topic);
    const partitions = found
      .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high), oldestAt: undefined }))
      .sort((a, b) => a.partition - b.partition);
    for (let attempt = 1; ; attempt++) {
      const wanted: Reading = { topic, group, partitions, begun: false };
      try {
        await readPartitions(createClient(), wanted, { ...options, limits });
        break;
      } catch (error) {
        // A broker that has just started refuses groups for a moment, which ends kafkajs's consumer.
        if (wanted.begun || attempt === JOIN_MAX_ATTEMPTS || signal?.aborted === true) throw error;
        logger.debug({ err: error, attempt }, "the group cannot be joined yet");
        await sleep(JOIN_PAUSE_MS * attempt, undefined, { signal });
      }
    }
    // Nobody commits anything to it; a broker forgets it by itself if this fails.
    await admin.deleteGroups([group]).catch((error: unknown) => logger.debug({ err: error, group }, "group is left"));
    return { partitions };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    await admin.disconnect().catch(() => undefined);
    abort();
  }
}

interface Reading {
  topic: string;
  group: string;
  partitions: ReadPartition[];
  /** Some messages were given out: it cannot begin anew. */
  begun: boolean;
}

/** Fills in `oldestAt`. */
async function readPartitions(
  client: KafkaClient,
  reading: Reading,
  { onMessages, signal, limits }: ReadTopicOptions & { limits: KafkaBusLimits },
): Promise<void> {
  const { topic, group, partitions } = reading;
  const left = new Map(partitions.filter(({ low, high }) => low < high).map((each) => [each.partition, each]));
  if (left.size === 0) return;
  const done = Promise.withResolvers<void>();
  const consumer = client.kafka.consumer({
    groupId: group,
    sessionTimeout: limits.sessionTimeoutMs,
    heartbeatInterval: limits.heartbeatIntervalMs,
    maxWaitTimeInMs: limits.fetchMaxWaitMs,
    maxBytesPerPartition: limits.fetchMaxBytesPerPartition,
    retry: { ...client.retry, restartOnFailure: async () => false },
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  const onAbort = (): void => done.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const stalled = setTimeout(() => done.reject(new Error(STALLED)), STALL_MS);

  const take = ({ batch, resolveOffset }: EachBatchPayload): void => {
    const partition = left.get(batch.partition);
    if (partition === undefined) return;
    reading.begun = true;
    stalled.refresh();
    const messages = batch.messages.filter(({ offset }) => Number(offset) < partition.high);
    const [first] = messages;
    if (first !== undefined) {
      partition.oldestAt ??= Number(first.timestamp);
      onMessages(
        messages.map((message) => fromKafkaMessage(topic, message)),
        batch.partition,
      );
    }
    resolveOffset(batch.lastOffset());
    if (Number(batch.lastOffset()) + 1 < partition.high) return;
    left.delete(batch.partition);
    consumer.pause([{ topic, partitions: [batch.partition] }]);
    if (left.size === 0) done.resolve();
  };

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (given) => {
        // What a handler throws stops kafkajs for good, and quietly.
        try {
          take(given);
        } catch (error) {
          done.reject(error);
        }
      },
    });
    await done.promise;
  } finally {
    clearTimeout(stalled);
    signal?.removeEventListener("abort", onAbort);
    await consumer.disconnect().catch(() => undefined);
  }
}

function missing(topic: string): Error {
  return new Error(
    `the broker has no topic ${topic}; give the brokers of the suite, or wait until it has published something`,
  );
}
