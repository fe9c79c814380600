import {
  Admin,
  compatibilityPartitioner,
  Consumer,
  Producer,
  type Message,
  type MessagesStream,
  stringDeserializer,
} from "@platformatic/kafka";
import type { BusLimits, EventBus, EventHeaders, EventMessage, SubscribeOptions } from "../src/index.ts";
import { defaultBusLimits } from "../src/index.ts";
import { createAssignedPartitions } from "../src/kafka/assigned-partitions.ts";
import { createOffsetCommitter } from "../src/kafka/offset-committer.ts";
import { createMember } from "../src/member.ts";

export interface PlatformaticBusOptions {
  brokers: string[];
  topics: readonly string[];
  partitions: number;
  limits: Partial<BusLimits>;
}

type Client = Consumer<Buffer, Buffer, string, string>;
type Stream = MessagesStream<Buffer, Buffer, string, string>;

/**
 * EventBus over another client, as far as the shared suite goes: it shows that nothing of kafkajs shows through the
 * interface, and that the parts which keep order and offsets can serve another client. No outages, no limits.
 */
export async function createPlatformaticBus(options: PlatformaticBusOptions): Promise<EventBus> {
  const base = { clientId: "platformatic", bootstrapBrokers: options.brokers };
  const limits = { ...defaultBusLimits, ...options.limits };
  const admin = new Admin(base);
  await admin.createTopics({ topics: [...options.topics], partitions: options.partitions, replicas: 1 });
  await admin.close();
  // Its own partitioner differs from Java's for every second key.
  const producer = new Producer({ ...base, idempotent: true, acks: -1, partitioner: compatibilityPartitioner });
  const closers = new Set<() => Promise<void>>();
  let last: Promise<unknown> = Promise.resolve();

  return {
    async publish(batch) {
      const sent = last.then(() => producer.send({ messages: batch.map(toMessage) }));
      last = sent.catch(ignore);
      await sent;
    },
    subscribe(subscribed) {
      const close = subscribe(base, subscribed, limits);
      closers.add(close);
      return {
        async close() {
          closers.delete(close);
          await close();
        },
      };
    },
    hasConsumers: () => true,
    async close() {
      await Promise.all([...closers].map((close) => close()));
      await last;
      await producer.close();
    },
  };
}

function subscribe(
  base: { clientId: string; bootstrapBrokers: string[] },
  subscribed: SubscribeOptions,
  limits: BusLimits,
): () => Promise<void> {
  const member = createMember(subscribed);
  const consumer: Client = new Consumer({
    ...base,
    groupId: subscribed.group,
    autocommit: false,
    sessionTimeout: 10_000,
    heartbeatInterval: 500,
    maxWaitTime: 50,
    retries: true,
    deserializers: { headerKey: stringDeserializer, headerValue: stringDeserializer },
  });
  const committer = createOffsetCommitter({
    partitions: {
      uncommitted: () => partitions.uncommitted(),
      noteCommitted: (done) => partitions.noteCommitted(done),
    },
    intervalMs: 50,
    commit: (offsets) =>
      consumer.commit({ offsets: offsets.map((one) => ({ ...one, offset: BigInt(one.offset), leaderEpoch: -1 })) }),
    onFailed: ignore,
  });
  const partitions = createAssignedPartitions({
    member,
    limits,
    onHandled: committer.wake,
    onFailedDelivery: ignore,
    onPostponed: ignore,
    onSkipped: ignore,
  });
  consumer.on("consumer:group:join", ({ memberId }) => {
    const assigned = (consumer.assignments ?? []).map(({ topic, partitions: numbers }) => [topic, numbers] as const);
    partitions.assign(memberId, Object.fromEntries(assigned));
  });
  const joined = consumer.consume({ topics: [...subscribed.topics], mode: "committed", fallbackMode: "earliest" });
  joined.then((stream) => stream.on("data", (message) => take(stream, message)), ignore);

  function take(
    stream: Stream,
    { topic, partition, offset, key, value, headers, timestamp }: Message<Buffer, Buffer, string, string>,
  ): void {
    const at = Number(offset);
    const acceptance = partitions.accept({
      topic,
      partition,
      fetchedOffset: at,
      nextOffset: at + 1,
      endOffset: at + 1,
      messages: [
        {
          key,
          value,
          offset: String(at),
          timestamp: String(timestamp),
          attributes: 0,
          headers: Object.fromEntries(headers),
        },
      ],
    });
    if (acceptance.kind !== "taken" || !acceptance.lane.isFull()) return;
    stream.pause();
    void acceptance.lane.room().then(() => stream.resume());
  }

  return async () => {
    await member.leave();
    const stream = await joined;
    await committer.flush();
    committer.stop();
    partitions.release();
    await stream.close();
    await consumer.close(true);
  };
}

function toMessage({ topic, key, value, headers }: EventMessage) {
  const entries = Object.entries(headers satisfies EventHeaders).filter(([, text]) => text !== undefined);
  return {
    topic,
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: new Map(entries.map(([name, text]) => [Buffer.from(name), Buffer.from(String(text))])),
  };
}

function ignore(): void {}
