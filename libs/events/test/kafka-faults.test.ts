import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaBroker } from "@heddle/broker";
import { createMetrics } from "@heddle/telemetry";
import { privateTestKafka, uniqueTopic } from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createDedupingConsumer,
  createKafkaBus,
  createMemoryPositionStore,
  createRawEventMessage,
  type EventMessage,
} from "../src/index.ts";
import { testTopic } from "./kafka-support.ts";
import { FLAWLESS, judge, readTopic, type Written } from "./topic-ledger.ts";

/** How the broker fails, and how it comes back. */
const FAULTS: readonly (readonly [string, (broker: KafkaBroker) => Promise<void>])[] = [
  [
    "is stopped for 10 s",
    async (broker) => {
      await broker.stop();
      await sleep(10_000);
      await broker.start();
    },
  ],
  [
    "is killed twice",
    async (broker) => {
      for (let time = 0; time < 2; time += 1) {
        await broker.kill();
        await broker.start();
        await sleep(500);
      }
    },
  ],
  [
    // Longer than a request may take, so that answers are lost.
    "is paused for 5 s",
    async (broker) => {
      broker.pause();
      await sleep(5_000);
      broker.resume();
    },
  ],
];

describe("Kafka bus whose broker fails", () => {
  const kafka = privateTestKafka();
  let broker: KafkaBroker;
  beforeEach((context) => {
    if (kafka.skipReason !== undefined) context.skip(kafka.skipReason);
  });
  beforeAll(async () => {
    if (kafka.skipReason === undefined) broker = await kafka.start();
  });
  afterAll(() => broker?.purge());

  it.each(FAULTS)("loses, doubles and reorders nothing while it %s", async (_, fail) => {
    const topic = uniqueTopic("faults");
    const bus = createKafkaBus({
      brokers: [broker.address],
      clientId: "test",
      topics: [testTopic(topic)],
      limits: { requestTimeoutMs: 2_000, sessionTimeoutMs: 6_000 },
    });
    const effects: EventMessage[] = [];
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    bus.subscribe({
      group: topic,
      topics: [topic],
      handler: createDedupingConsumer({
        positions: createMemoryPositionStore(),
        handler: async (messages) => void effects.push(...messages),
      }),
      parkPoison: async ({ error }) => {
        throw new Error("unexpected poison", { cause: error });
      },
    });
    const acknowledged: Written[] = [];
    const isOver = { fault: false };
    let rows = 0;
    const publishing = (async () => {
      while (!isOver.fault) {
        const offset = (rows += 1);
        const batch = Array.from({ length: 30 }, (__, index) => event(topic, offset, index));
        await bus.publish(batch);
        acknowledged.push(...batch.map(written));
        await sleep(2);
      }
    })();
    while (effects.length < 300) await sleep(10);
    await fail(broker);
    const before = acknowledged.length;
    while (acknowledged.length < before + 3_000) await sleep(10);
    isOver.fault = true;
    await publishing;
    while (effects.length < acknowledged.length) await sleep(10);
    await bus.close();
    process.off("unhandledRejection", note);

    expect(unhandled).toEqual([]);
    expect(judge(acknowledged, await readTopic([broker.address], topic))).toEqual(FLAWLESS);
    expect(judge(acknowledged, effects.map(written))).toEqual(FLAWLESS);
  });

  it("closes quickly, and leaves nothing running, while the broker is away", async () => {
    const topic = uniqueTopic("away");
    const before = countResources();
    const bus = createKafkaBus({
      brokers: [broker.address],
      clientId: "test",
      topics: [testTopic(topic)],
      metrics: createMetrics(),
    });
    let handled = 0;
    const subscription = { group: topic, topics: [topic], parkPoison: async () => {} };
    bus.subscribe({ ...subscription, handler: async ({ length }) => void (handled += length) });
    await bus.publish([event(topic, 1, 0)]);
    while (handled < 1) await sleep(10);
    await broker.stop();
    // One that never joined, too.
    bus.subscribe({ ...subscription, group: `${topic}-late`, handler: async () => {} });
    const outcome = bus.publish([event(topic, 2, 0)]).then(
      () => "published",
      (error: { reason?: string }) => error.reason,
    );
    await sleep(1_500);
    await bus.close();
    expect(await outcome).toBe("SHUTTING_DOWN");
    // What kafkajs had begun to wait for ends within one of its pauses.
    while (countResources() > before) await sleep(100);
  });
});

function countResources(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout" || name === "TCPSocketWrap").length;
}

function event(topic: string, offset: number, index: number): EventMessage {
  const key = `key-${index % 10}`;
  const number = offset * 100 + index;
  return createRawEventMessage(topic, Buffer.from(String(number)), {
    id: `${key}/${number}`,
    source: "/heddle/test",
    key,
    position: { partition: 0, offset, index },
  });
}

function written({ key, value }: EventMessage): Written {
  return { key, number: Number(Buffer.from(value).toString()) };
}
