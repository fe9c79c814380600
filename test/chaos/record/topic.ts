import { randomUUID } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import kafkajs, { type IHeaders, type Kafka } from "kafkajs";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { PublishedEvent } from "./run-record.ts";

const { CompressionCodecs, CompressionTypes, logLevel, Partitioners } = kafkajs;

/** The topic of the events whose promises are checked. */
export const EXECUTION_EVENTS = ExecutionEventSchema.typeName;

/** A record of a topic as it is there. */
interface TopicRecord {
  partition: number;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: IHeaders;
}

const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 60 };
const READ_TIMEOUT_MS = 60_000;

// Whatever the publisher compresses with, and without its own client around it: this one is to be independent.
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(zstdCompressSync(buffer)),
  decompress: (buffer: Buffer) => Promise.resolve(zstdDecompressSync(buffer)),
});

function client(brokers: readonly string[]): Kafka {
  return new kafkajs.Kafka({
    clientId: "chaos",
    brokers: [...brokers],
    retry: RETRY,
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    logLevel: logLevel.NOTHING,
  });
}

/** Everything in a topic, from its first record to the one that is last when this is called. */
export async function readTopic(brokers: readonly string[], topic: string): Promise<TopicRecord[]> {
  const kafka = client(brokers);
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const missing = new Map(
    ends.filter(({ high, low }) => Number(high) > Number(low)).map(({ partition, high }) => [partition, Number(high)]),
  );
  const records: TopicRecord[] = [];
  if (missing.size === 0) return records;

  const consumer = kafka.consumer({ groupId: `chaos-${randomUUID()}`, maxWaitTimeInMs: 100, retry: RETRY });
  const finished = Promise.withResolvers<void>();
  const timer = setTimeout(() => finished.reject(new Error(`could not read ${topic} in time`)), READ_TIMEOUT_MS);
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const { offset, key, value, headers = {} } of batch.messages) {
        records.push({ partition: batch.partition, offset, key, value, headers });
      }
      const end = missing.get(batch.partition);
      if (end !== undefined && Number(batch.lastOffset()) + 1 >= end) missing.delete(batch.partition);
      if (missing.size === 0) finished.resolve();
    },
  });
  try {
    await finished.promise;
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
  return records;
}

/** The events in a topic, and how many records are none: what a fault has put there. */
export function decodeEvents(records: readonly TopicRecord[]): { events: PublishedEvent[]; foreign: number } {
  const events = records.flatMap(({ key, value, headers, partition }): PublishedEvent[] => {
    const id = headers["ce_id"];
    if (id === undefined || value === null) return [];
    return [{ id: String(id), key: key?.toString() ?? "", partition, event: fromBinary(ExecutionEventSchema, value) }];
  });
  return { events, foreign: records.length - events.length };
}

/** Puts records into a topic that are there already, as a producer does that did not hear that they had arrived. */
export async function repeatRecords(brokers: readonly string[], topic: string, count: number): Promise<number> {
  const records = await readTopic(brokers, topic);
  const repeated = records.filter(({ headers }) => headers["ce_id"] !== undefined).slice(-count);
  await produce(brokers, topic, repeated);
  return repeated.length;
}

/** Puts records into a topic that no consumer can read. */
export async function poisonTopic(brokers: readonly string[], topic: string, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(`poison-${randomUUID()}`),
    value: Buffer.from([0xff, 0xfe, 0x00, index]),
    headers: {},
  }));
  await produce(brokers, topic, records);
}

async function produce(
  brokers: readonly string[],
  topic: string,
  records: readonly Pick<TopicRecord, "key" | "value" | "headers">[],
): Promise<void> {
  if (records.length === 0) return;
  const producer = client(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: RETRY });
  await producer.connect();
  try {
    await producer.send({
      topic,
      acks: -1,
      messages: records.map(({ key, value, headers }) => ({ key, value, headers })),
    });
  } finally {
    await producer.disconnect();
  }
}
