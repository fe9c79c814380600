import { testKafka, uniqueTopic } from "@heddle/testing";
import kafkajs from "kafkajs";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createKafkaBus, createRawEventMessage, partitionOfKey, readTopic } from "../src/index.ts";
import { testTopic } from "./kafka-support.ts";

const PARTITIONS = 3;
const kafka = testKafka();

describe("readTopic", () => {
  let brokers: string[];

  beforeEach((context) => kafka.skipReason && context.skip(kafka.skipReason));
  beforeAll(async () => {
    if (!kafka.skipReason) brokers = await kafka.brokers();
  });

  async function publish(topic: string, count: number): Promise<void> {
    const bus = createKafkaBus({ brokers, clientId: "publisher", topics: [testTopic(topic, PARTITIONS)] });
    const message = (index: number) =>
      createRawEventMessage(topic, Buffer.from([index]), {
        id: `k${index % 7}/${Math.floor(index / 7) + 1}`,
        source: "/test",
        key: `k${index % 7}`,
      });
    await bus.publish(Array.from({ length: count }, (_, index) => message(index)));
    await bus.close();
  }

  /** Ids by partition, in the order in which they came. */
  async function read(topic: string) {
    const ids = new Map<number, string[]>();
    const contents = await readTopic({
      brokers,
      topic,
      onMessages(messages, partition) {
        ids.set(partition, [...(ids.get(partition) ?? []), ...messages.map(({ headers }) => headers.ce_id)]);
      },
    });
    return { ids, ...contents };
  }

  function expected(count: number): Map<number, string[]> {
    const all = Array.from({ length: count }, (_, index) => ({ key: `k${index % 7}`, seq: Math.floor(index / 7) + 1 }));
    const grouped = Map.groupBy(all, ({ key }) => partitionOfKey(key, PARTITIONS));
    return new Map([...grouped].map(([partition, some]) => [partition, some.map(({ key, seq }) => `${key}/${seq}`)]));
  }

  it("gives everything that is there, each partition in order, and again at the next call", async () => {
    const topic = uniqueTopic("read");
    const before = Date.now();
    await publish(topic, 70);
    for (let time = 0; time < 2; time++) {
      const { ids, partitions } = await read(topic);
      expect(ids).toEqual(expected(70));
      expect(partitions.map(({ partition, low }) => [partition, low])).toEqual([
        [0, 0],
        [1, 0],
        [2, 0],
      ]);
      expect(partitions.reduce((total, { high }) => total + high, 0)).toBe(70);
      for (const { oldestAt, high } of partitions)
        if (high > 0) expect(oldestAt).toBeGreaterThanOrEqual(before - 1_000);
    }
  });

  it("says where retention has cut", async () => {
    const topic = uniqueTopic("cut");
    await publish(topic, 70);
    const [partition, ids] = [...expected(70)][0] as [number, string[]];
    const client = new kafkajs.Kafka({ brokers, clientId: "cutter", logLevel: kafkajs.logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    // It knows only topics that it was asked about.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: "5" }] });
    const groupsBefore = (await admin.listGroups()).groups.filter(({ groupId }) => groupId.startsWith("heddle-reader"));
    const { ids: found, partitions } = await read(topic);
    expect(found.get(partition)).toEqual(ids.slice(5));
    expect(partitions.find((each) => each.partition === partition)).toMatchObject({ low: 5, high: ids.length });
    const { groups } = await admin.listGroups();
    expect(groups.filter(({ groupId }) => groupId.startsWith("heddle-reader"))).toHaveLength(groupsBefore.length);
    await admin.disconnect();
  });

  it("reads an empty topic, and refuses one that is not there", async () => {
    const topic = uniqueTopic("empty");
    const bus = createKafkaBus({ brokers, clientId: "publisher", topics: [testTopic(topic, PARTITIONS)] });
    const subscription = bus.subscribe({
      group: uniqueTopic("group"),
      topics: [topic],
      handler: async () => {},
      parkPoison: async () => {},
      durable: false,
    });
    await expect
      .poll(async () => (await read(topic).catch(() => undefined))?.partitions.length, { timeout: 20_000 })
      .toBe(PARTITIONS);
    expect((await read(topic)).partitions).toEqual(
      [0, 1, 2].map((partition) => ({ partition, low: 0, high: 0, oldestAt: undefined })),
    );
    await subscription.close();
    await bus.close();
    await expect(read(uniqueTopic("nowhere"))).rejects.toThrow(/has no topic/);
  });

  it("ends when nobody waits any more, and when nobody answers", async () => {
    const gone = AbortSignal.abort(new Error("not needed"));
    await expect(readTopic({ brokers, topic: "any", signal: gone, onMessages() {} })).rejects.toThrow("not needed");
    const limits = { connectionTimeoutMs: 200, retryMinMs: 10, retryMaxMs: 20 };
    await expect(readTopic({ brokers: ["127.0.0.1:1"], topic: "any", limits, onMessages() {} })).rejects.toThrow(
      /connect/i,
    );
  });
});
