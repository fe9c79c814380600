import { setTimeout as sleep } from "node:timers/promises";
import { createMetrics } from "@heddle/telemetry";
import { testKafka, uniqueTopic } from "@heddle/testing";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createKafkaBus,
  createRawEventMessage,
  type EventBus,
  type EventMessage,
  type KafkaBusOptions,
  listConsumerLag,
  type PoisonMessage,
  readTopic,
} from "../src/index.ts";
import { type GroupWatcher, testTopic, watchGroups } from "./kafka-support.ts";

describe("Kafka bus in detail", () => {
  const kafka = testKafka();
  let topic: string;
  let open: EventBus[] = [];
  let watcher: GroupWatcher | undefined;

  beforeEach((context) => {
    if (kafka.skipReason !== undefined) context.skip(kafka.skipReason);
    topic = uniqueTopic("details");
  });
  afterEach(async () => {
    await Promise.all(open.map((bus) => bus.close()));
    open = [];
  });
  afterAll(() => watcher?.close());

  async function openBus(options: Partial<KafkaBusOptions> = {}): Promise<EventBus> {
    const brokers = await kafka.brokers();
    const bus = createKafkaBus({ brokers, clientId: "test", topics: [testTopic(topic, 2)], ...options });
    open.push(bus);
    return bus;
  }

  const event = (number: number, bytes = 10): EventMessage =>
    createRawEventMessage(topic, Buffer.alloc(bytes, number % 251), {
      id: `key/${number}`,
      source: "/test",
      key: "key",
    });

  const subscription = (handler: (messages: readonly EventMessage[]) => Promise<void>, group = topic) => ({
    group,
    topics: [topic],
    handler,
    parkPoison: async () => {},
  });

  const ids = (messages: readonly EventMessage[]): string[] => messages.map(({ headers }) => headers.ce_id);

  it("gives a new durable group everything from the oldest message on", async () => {
    const bus = await openBus();
    await bus.publish([event(1), event(2)]);
    const seen: string[] = [];
    bus.subscribe(subscription(async (messages) => void seen.push(...ids(messages))));
    await bus.publish([event(3)]);
    while (seen.length < 3) await sleep(5);
    expect(seen).toEqual(["key/1", "key/2", "key/3"]);
  });

  it("gives an onlooker what comes after it, and forgets it when it closes", async () => {
    const bus = await openBus();
    watcher ??= await watchGroups(await kafka.brokers());
    for (const round of [1, 2]) {
      await bus.publish([event(round * 10)]);
      const seen: string[] = [];
      const onlooker = bus.subscribe({
        ...subscription(async (messages) => void seen.push(...ids(messages))),
        durable: false,
      });
      await watcher.membersJoined(topic, 1);
      await bus.publish([event(round * 10 + 1)]);
      while (seen.length < 1) await sleep(5);
      await onlooker.close();
      expect(seen).toEqual([`key/${round * 10 + 1}`]);
    }
    expect(await listConsumerLag({ brokers: await kafka.brokers(), group: topic, topics: [topic] })).toMatchObject([
      { committedOffset: undefined },
      { committedOffset: undefined },
    ]);
  });

  it("splits a call over requests, and calls that wait share them, in order", async () => {
    const bus = await openBus({ limits: { requestMaxMessages: 7, requestMaxBytes: 2_000 } });
    const batches = [20, 1, 33].map((length, batch) =>
      Array.from({ length }, (_, index) => event(batch * 100 + index, index === 5 ? 5_000 : 10)),
    );
    await Promise.all(batches.map((batch) => bus.publish(batch)));
    const read: string[] = [];
    const onMessages = (messages: readonly EventMessage[]): void => void read.push(...ids(messages));
    const { partitions } = await readTopic({ brokers: await kafka.brokers(), topic, onMessages });
    expect(read).toEqual(ids(batches.flat()));
    expect(partitions.map(({ high }) => high).toSorted((a, b) => a - b)).toEqual([0, 54]);
    expect(partitions.filter(({ oldestAt }) => oldestAt !== undefined)).toHaveLength(1);
  });

  it.each([
    ["its own limit", { limits: { messageMaxBytes: 10_000 } }, {}],
    ["the topic's limit", {}, { "max.message.bytes": "10000" }],
  ] as const)("refuses by name what is larger than %s, or parks it and goes on", async (_, options, config) => {
    const topics = [{ ...testTopic(topic, 2), config }];
    // Of random bytes, as what counts for a topic is what is left after compression.
    const large = { ...event(3), value: crypto.getRandomValues(new Uint8Array(50_000)) };
    const batch = [event(1), event(2), large, event(4)];
    const strict = await openBus({ ...options, topics });
    await expect(strict.publish(batch)).rejects.toThrow(/event key\/3 takes \d+ bytes/);
    const parked: PoisonMessage[] = [];
    const bus = await openBus({ ...options, topics, parkRefused: async (poison) => void parked.push(poison) });
    await Promise.all([bus.publish(batch), bus.publish([event(5)])]);
    expect(parked).toMatchObject([{ group: "publisher", partition: -1, message: { headers: { ce_id: "key/3" } } }]);
    const read: string[] = [];
    const onMessages = (messages: readonly EventMessage[]): void => void read.push(...ids(messages));
    await readTopic({ brokers: await kafka.brokers(), topic, onMessages });
    expect(read.slice(-4)).toEqual(["key/1", "key/2", "key/4", "key/5"]);
  });

  it("says what is wrong with a topic that is not there and cannot be made", async () => {
    const bus = await openBus({ topics: [{ ...testTopic(topic), replicationFactor: 3 }] });
    await expect(bus.publish([event(1)])).rejects.toMatchObject({ reason: "TOPIC_REFUSED" });
    const other = await openBus({ topics: [] });
    await expect(other.publish([event(1)])).rejects.toThrow(`topic ${topic} does not exist`);
    await expect(readTopic({ brokers: await kafka.brokers(), topic, onMessages: () => {} })).rejects.toThrow(
      `the broker has no topic ${topic}`,
    );
  });

  it("uses a topic with other partitions as it is, and warns", async () => {
    await (await openBus()).publish([event(1)]);
    const warnings: unknown[] = [];
    const ignore = (): void => {};
    const logger = {
      debug: ignore,
      info: ignore,
      error: ignore,
      warn: (fields: unknown) => void warnings.push(fields),
    };
    const bus = await openBus({ topics: [testTopic(topic, 5)], logger });
    await bus.publish([event(2)]);
    expect(warnings).toContainEqual({ topic, partitions: 2, configured: 5 });
  });

  it.each([
    [{ ...createRawEventMessage("t", Buffer.alloc(0), { id: "a/1", source: "/", key: "a" }), key: 7 }, "key is number"],
    [{ topic: "t", key: "a", value: "text", headers: { ce_id: "a/1" } }, "value is not bytes"],
    [{ topic: "t", key: "a", value: Buffer.alloc(0), headers: { ce_id: "a/1", x: 7 } }, "header x is number"],
  ])("refuses a malformed message before anything is sent", async (message, what) => {
    const bus = await openBus();
    await expect(bus.publish([event(1), message as unknown as EventMessage])).rejects.toThrow(what);
    await bus.publish([event(2)]);
  });

  it("refuses a call when too much waits already", async () => {
    const bus = await openBus({ limits: { pendingMaxBytes: 1_000 } });
    const first = bus.publish([event(1, 5_000)]);
    await expect(bus.publish([event(2)])).rejects.toMatchObject({ reason: "EVENTS_PENDING" });
    await first;
    await bus.publish([event(2)]);
  });

  it("rejects what is published to a bus that closes, and everything after", async () => {
    const bus = await openBus();
    await bus.publish([event(1)]);
    const outcome = bus.publish([event(2)]).catch((error: { reason?: string }) => error.reason);
    await bus.close();
    expect(await outcome).toBe("SHUTTING_DOWN");
    await expect(bus.publish([event(3)])).rejects.toThrow("the event bus is closed");
    expect(() => bus.subscribe(subscription(async () => {}))).toThrow("the event bus is closed");
  });

  it("counts, and shows how far a slow consumer is behind", async () => {
    const metrics = createMetrics();
    const bus = await openBus({ metrics, limits: { lagIntervalMs: 20, deliveryMaxAttempts: 2, redeliveryMinMs: 1 } });
    await bus.publish(Array.from({ length: 10 }, (_, number) => event(number)));
    const gate = Promise.withResolvers<void>();
    let handled = 0;
    const handler = async (messages: readonly EventMessage[]): Promise<void> => {
      if (ids(messages).includes("key/3")) throw new Error("poison");
      await gate.promise;
      handled += messages.length;
    };
    bus.subscribe(subscription(handler));
    const lagOf = (lag: number): RegExp =>
      new RegExp(`heddle_consumer_lag\\{group="${topic}",topic="${topic}",partition="\\d"\\} ${lag}\\n`);
    while (!lagOf(10).test(metrics.text())) await sleep(5);
    gate.resolve();
    while (handled < 9) await sleep(5);
    while (lagOf(10).test(metrics.text())) await sleep(5);
    expect(metrics.text()).not.toMatch(lagOf(1));
    expect(metrics.text()).toContain(`heddle_events_published_total{topic="${topic}"} 10`);
    expect(metrics.text()).toContain(`heddle_events_parked_total{group="${topic}",topic="${topic}"} 1`);
    expect(metrics.text()).toMatch(/heddle_events_redelivered_total\{.*\} 1\d\n/);
    const sum = async (): Promise<number> => {
      const lags = await listConsumerLag({ brokers: await kafka.brokers(), group: topic, topics: [topic] });
      return lags.reduce((total, { lag }) => total + lag, 0);
    };
    while ((await sum()) > 0) await sleep(50);
  });

  it("holds a bounded part of what a slow consumer has not handled, and loses none of it", async () => {
    const limits = { queueMaxMessages: 50, fetchMaxBytesPerPartition: 4_000, batchMaxMessages: 10 };
    const bus = await openBus({ limits });
    const batch = Array.from({ length: 2_000 }, (_, number) => event(number));
    await bus.publish(batch);
    const seen: string[] = [];
    const handler = async (messages: readonly EventMessage[]): Promise<void> => {
      await sleep(1);
      seen.push(...ids(messages));
    };
    bus.subscribe(subscription(handler));
    while (seen.length < 2_000) await sleep(5);
    expect(seen).toEqual(ids(batch));
  });

  it("refuses brokers that are no addresses", () => {
    expect(() => createKafkaBus({ brokers: ["localhost"], clientId: "t", topics: [] })).toThrow("write host:port");
    expect(() => createKafkaBus({ brokers: [], clientId: "t", topics: [] })).toThrow("brokers has none");
  });
});
