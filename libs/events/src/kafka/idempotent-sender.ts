import type { ICustomPartitioner, Message, Producer, RecordMetadata } from "kafkajs";
import { partitionOfKey } from "../partitioner.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { toKafkaMessage } from "./kafka-message.ts";
import type { PendingMessage } from "./publish-queue.ts";
import { kafkajs } from "./kafkajs.ts";

/**
 * A producer whose `send` gives what kafkajs promises and does not keep. Callers keep two rules: one call at a time,
 * and after a rejection either the identical messages again, or `renew` first.
 */
export interface IdempotentSender {
  /** Gives the messages that were not acknowledged, although kafkajs calls the whole batch done. */
  send(messages: readonly PendingMessage[]): Promise<readonly PendingMessage[]>;
  /** The next `send` is made by a new producer, with sequence numbers of its own. */
  renew(): void;
  close(): Promise<void>;
  /** Ends also a `send` under way. */
  destroy(): void;
}

export function createIdempotentSender(createClient: () => KafkaClient): IdempotentSender {
  let current: { client: KafkaClient; producer: Producer; connected: boolean } | undefined;
  let destroyed = false;

  function producer(): { client: KafkaClient; producer: Producer; connected: boolean } {
    if (current !== undefined) return current;
    if (destroyed) throw new Error("the sender is closed");
    const client = createClient();
    current = {
      client,
      producer: client.kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        createPartitioner,
        retry: client.retry,
      }),
      connected: false,
    };
    return current;
  }

  return {
    async send(messages) {
      const used = producer();
      if (!used.connected) {
        await used.producer.connect();
        used.connected = true;
      }
      const byTopic = new Map<string, Message[]>();
      for (const pending of messages) {
        pending.record ??= toKafkaMessage(pending.message);
        const list = byTopic.get(pending.message.topic);
        if (list === undefined) byTopic.set(pending.message.topic, [pending.record]);
        else list.push(pending.record);
      }
      const answers = await used.producer.sendBatch({
        acks: -1,
        compression: kafkajs.CompressionTypes.ZSTD,
        topicMessages: [...byTopic].map(([topic, list]) => ({ topic, messages: list })),
      });
      return findUnanswered(messages, answers);
    },
    renew() {
      current?.client.destroy();
      current = undefined;
    },
    async close() {
      await current?.producer.disconnect();
    },
    destroy() {
      destroyed = true;
      current?.client.destroy();
    },
  };
}

/**
 * Kafkajs's DefaultPartitioner, which is Java's, in a fraction of the time: it computes in BigInt. A message keeps the
 * partition of its first attempt, also when the topic has more of them at the second: a batch that was composed in
 * another way would no longer be known as a repetition.
 */
const createPartitioner: ICustomPartitioner =
  () =>
  ({ message, partitionMetadata }) =>
    (message.partition ??= partitionOfKey(message.key as string, partitionMetadata.length));

/**
 * The messages of partitions that no answer names. kafkajs sends one request per broker and remembers which of them
 * answered; a partition that moves from one that did not to one that did is then never sent.
 */
function findUnanswered(
  messages: readonly PendingMessage[],
  answers: readonly RecordMetadata[],
): readonly PendingMessage[] {
  const answered = new Map<string, Set<number>>();
  for (const { topicName, partition } of answers) {
    const partitions = answered.get(topicName);
    if (partitions === undefined) answered.set(topicName, new Set([partition]));
    else partitions.add(partition);
  }
  return messages.filter(
    ({ message, record }) => answered.get(message.topic)?.has(record?.partition as number) !== true,
  );
}
