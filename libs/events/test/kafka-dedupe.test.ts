import { setTimeout as sleep } from "node:timers/promises";
import type { Database, Transaction } from "@heddle/store";
import { createTestDatabase, type TestDatabase, testKafka, uniqueTopic } from "@heddle/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createDedupingConsumer,
  createKafkaBus,
  createPositionTableSql,
  createRawEventMessage,
  createSqlPositionStore,
  type EventBus,
  type EventHandler,
  type EventMessage,
} from "../src/index.ts";
import { testTopic } from "./kafka-support.ts";

const EVENTS = 120;
const KEYS = 6;

describe("a consumer that keeps its positions in Postgres, over Kafka", () => {
  const kafka = testKafka();
  let test: TestDatabase;
  let database: Database;
  let topic: string;
  let open: EventBus[] = [];

  beforeAll(async () => {
    test = await createTestDatabase({ schema: "consumer", migrations: [] });
    ({ database } = test);
    await database.query({ text: createPositionTableSql });
    await database.query({ text: "create table effects (number bigserial, topic text, key text, value integer)" });
  });
  afterAll(() => test?.drop());
  beforeEach((context) => {
    if (kafka.skipReason !== undefined) context.skip(kafka.skipReason);
    topic = uniqueTopic("dedupe");
  });
  afterEach(async () => {
    await Promise.all(open.map((bus) => bus.close()));
    open = [];
  });

  async function openBus(): Promise<EventBus> {
    const bus = createKafkaBus({
      brokers: await kafka.brokers(),
      clientId: "test",
      topics: [testTopic(topic, 1)],
      limits: { batchMaxMessages: 10, redeliveryMinMs: 1, closeTimeoutMs: 500, retryMinMs: 20 },
    });
    open.push(bus);
    return bus;
  }

  /** `before` and `within` run around the positions' lock, on the first delivery. */
  function consumer(hooks: { before?(): Promise<void>; within?(): Promise<void> } = {}): EventHandler {
    const consume = createDedupingConsumer<Transaction>({
      positions: createSqlPositionStore({ transaction: (work) => database.transaction(work) }),
      async handler(messages, { transaction }) {
        await once("within");
        await transaction.query({
          text: `insert into effects (topic, key, value)
            select $1, key, value from unnest($2::text[], $3::integer[]) as given (key, value)`,
          values: [topic, messages.map(({ key }) => key), messages.map(numberOf)],
        });
      },
    });
    const left = new Set(["before", "within"] as const);
    const once = async (hook: "before" | "within"): Promise<void> => {
      if (left.delete(hook)) await hooks[hook]?.();
    };
    return async (messages, context) => {
      await once("before");
      await consume(messages, context);
    };
  }

  const join = (bus: EventBus, handler: EventHandler) =>
    bus.subscribe({
      group: topic,
      topics: [topic],
      handler,
      parkPoison: async ({ error }) => {
        throw new Error("unexpected poison", { cause: error });
      },
    });

  async function effects(): Promise<{ key: string; value: number }[]> {
    const text = "select key, value from effects where topic = $1 order by number";
    return (await database.query<{ key: string; value: number }>({ text, values: [topic] })).rows;
  }

  async function expectEachOnce(): Promise<void> {
    while ((await effects()).length < EVENTS) await sleep(10);
    // Whoever is late has its chance.
    await Promise.all(open.map((bus) => bus.close()));
    const found = await effects();
    expect(found).toHaveLength(EVENTS);
    for (const ofKey of Map.groupBy(found, ({ key }) => key).values()) {
      const values = ofKey.map(({ value }) => value);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
  }

  it("takes effect once of what its source publishes again, and over failures of its handler", async () => {
    const bus = await openBus();
    let calls = 0;
    const handler = consumer();
    join(bus, async (messages, context) => {
      calls += 1;
      if (calls % 3 === 0) throw new Error("before the effect");
      await handler(messages, context);
      if (calls % 4 === 0) throw new Error("after the effect");
    });
    await bus.publish(events(topic).slice(0, 70));
    await bus.publish(events(topic));
    await bus.publish(events(topic));
    await expectEachOnce();
  });

  it.each(["before", "within"] as const)(
    "takes effect once though a member that lost its partition goes on, stopped %s the lock",
    async (where) => {
      const zombieBus = await openBus();
      const stopped = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const stop = async (): Promise<void> => {
        stopped.resolve();
        await goOn.promise;
      };
      const zombie = join(zombieBus, consumer({ [where]: stop }));
      await zombieBus.publish(events(topic));
      await stopped.promise;
      // It does not wait for the handler for long, and the partition is the next member's.
      await zombie.close();
      const takenOver = Promise.withResolvers<void>();
      join(await openBus(), consumer({ before: async () => takenOver.resolve() }));
      await takenOver.promise;
      // Stopped within the lock, it holds up the other until now; stopped before it, it comes when all is done.
      if (where === "before") while ((await effects()).length < EVENTS) await sleep(10);
      goOn.resolve();
      await expectEachOnce();
    },
  );

  it("takes effect once while two members take the partition from each other", async () => {
    const buses = [await openBus(), await openBus()];
    const publishing = buses[0]?.publish(events(topic));
    let member = join(buses[0] as EventBus, consumer());
    for (let round = 1; round <= 4; round += 1) {
      const next = join(buses[round % 2] as EventBus, consumer());
      await member.close();
      member = next;
    }
    await publishing;
    await expectEachOnce();
  });
});

/** Rows of two partitions of a journal, several events each, in the journal's order. */
function events(topic: string): EventMessage[] {
  return Array.from({ length: EVENTS }, (_, number) => {
    const key = `key-${number % KEYS}`;
    return createRawEventMessage(topic, Buffer.from(String(number)), {
      id: `${key}/${number}`,
      source: "/heddle/test",
      key,
      position: { partition: number % 2, offset: Math.floor(number / 10), index: number % 10 },
    });
  });
}

function numberOf({ value }: EventMessage): number {
  return Number(Buffer.from(value).toString());
}
