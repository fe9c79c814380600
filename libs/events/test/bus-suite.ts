import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type BusLimits,
  createDedupingConsumer,
  createMemoryPositionStore,
  createRawEventMessage,
  type EventBus,
  type EventHandler,
  type EventMessage,
  type PoisonMessage,
  type SubscribeOptions,
} from "../src/index.ts";

/** What an implementation brings to the suite. */
export interface BusHarness {
  /** A bus whose redelivery is quick; topics that it has to create are made for every topic that is named. */
  open(options: { topics: readonly string[]; limits: Partial<BusLimits> }): Promise<EventBus>;
  /** True when `publish` waits for the consumers, false when a broker keeps messages for them. */
  publishWaitsForConsumers: boolean;
  /** Resolves when the group has so many members, each with its partitions. */
  membersJoined(group: string, members: number): Promise<void>;
  /** Why this implementation cannot run here. */
  skipReason?: string;
}

const QUICK: Partial<BusLimits> = { deliveryMaxAttempts: 4, redeliveryMinMs: 1, redeliveryMaxMs: 4 };

/** What every EventBus must do, whatever carries it. Nothing in here depends on how long anything takes. */
export function runBusSuite(name: string, harness: BusHarness): void {
  describe(name, () => {
    let open: EventBus[] = [];

    beforeEach((context) => {
      if (harness.skipReason !== undefined) context.skip(harness.skipReason);
    });
    afterEach(async () => {
      await Promise.all(open.map((bus) => bus.close()));
      open = [];
    });

    async function setUp(limits: Partial<BusLimits> = {}): Promise<{ bus: EventBus; topic: string }> {
      const topic = `t-${randomUUID()}`;
      const bus = await harness.open({ topics: [topic], limits: { ...QUICK, ...limits } });
      open.push(bus);
      return { bus, topic };
    }

    it("delivers the messages of each key in the order of publishing", async () => {
      const { bus, topic } = await setUp({ batchMaxMessages: 7 });
      const seen = new Map<string, number[]>();
      bus.subscribe(
        subscription(topic, async (messages) => {
          for (const message of messages) seen.set(message.key, [...(seen.get(message.key) ?? []), numberOf(message)]);
        }),
      );
      const batches = Array.from({ length: 20 }, (_, batch) =>
        Array.from({ length: 50 }, (__, index) => event(topic, `key-${index % 17}`, batch * 50 + index)),
      );
      await Promise.all(batches.map((batch) => bus.publish(batch)));
      await eventually(() => [...seen.values()].flat().length === 1_000);
      expect(seen.size).toBe(17);
      for (const numbers of seen.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    });

    it("delivers value, key and headers unchanged", async () => {
      const { bus, topic } = await setUp();
      const received: EventMessage[] = [];
      bus.subscribe(subscription(topic, async (messages) => void received.push(...messages)));
      const sent = createRawEventMessage(topic, Uint8Array.of(0, 255, 10, 13), {
        id: "schlüssel/1",
        source: "/heddle/test",
        key: "schlüssel",
        occurredAtMs: 1_700_000_000_123,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        position: { partition: 3, offset: 9_007_199_254_740_991, index: 2 },
      });
      await bus.publish([sent]);
      await eventually(() => received.length === 1);
      const [got] = received as [EventMessage];
      expect({ ...got, value: [...got.value], headers: { ...got.headers } }).toEqual({
        ...sent,
        value: [...sent.value],
      });
    });

    it("gives every group every message", async () => {
      const { bus, topic } = await setUp();
      const seen: Record<string, number[]> = { first: [], second: [], third: [] };
      for (const group of Object.keys(seen)) {
        bus.subscribe(
          subscription(topic, async (messages) => void seen[group]?.push(...messages.map(numberOf)), {
            group: groupOf(topic, group),
          }),
        );
      }
      await bus.publish(Array.from({ length: 30 }, (_, index) => event(topic, "one", index)));
      await eventually(() => Object.values(seen).every((numbers) => numbers.length === 30));
      expect(seen["first"]).toEqual(seen["second"]);
      expect(seen["second"]).toEqual(seen["third"]);
    });

    it("splits the messages of a group among its members, each key to one of them", async () => {
      const { bus, topic } = await setUp();
      const seen: Set<string>[] = [new Set(), new Set(), new Set()];
      let count = 0;
      for (const keys of seen) {
        bus.subscribe(
          subscription(topic, async (messages) => {
            for (const { key } of messages) keys.add(key);
            count += messages.length;
          }),
        );
      }
      await harness.membersJoined(groupOf(topic), seen.length);
      await bus.publish(Array.from({ length: 300 }, (_, index) => event(topic, `key-${index % 100}`, index)));
      await eventually(() => count === 300);
      const keys = seen.flatMap((keysOfMember) => [...keysOfMember]);
      expect(keys).toHaveLength(100);
      expect(new Set(keys).size).toBe(100);
      expect(seen.filter(({ size }) => size > 0).length).toBeGreaterThan(1);
    });

    it("delivers a message again after its handler failed, and keeps the order over it", async () => {
      const { bus, topic } = await setUp();
      const seen: number[] = [];
      const failures = new Map([
        [3, 2],
        [5, 3],
      ]);
      bus.subscribe(
        subscription(topic, async (messages) => {
          for (const message of messages) {
            const left = failures.get(numberOf(message)) ?? 0;
            if (left > 0) {
              failures.set(numberOf(message), left - 1);
              throw new Error("not now");
            }
            if (!seen.includes(numberOf(message))) seen.push(numberOf(message));
          }
        }),
      );
      await bus.publish(Array.from({ length: 8 }, (_, index) => event(topic, "one", index)));
      await eventually(() => seen.length === 8);
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    });

    it.each([
      ["a TypeError", () => (undefined as unknown as { x: number }).x],
      ["a RangeError", () => "x".repeat(-1)],
      ["a rejection with no reason", () => Promise.reject(undefined as unknown as Error)],
    ])("goes on after %s of a handler", async (_, fail) => {
      const { bus, topic } = await setUp();
      const seen: number[] = [];
      let failed = false;
      bus.subscribe(
        subscription(topic, (messages) => {
          if (!failed) {
            failed = true;
            // Not async: a handler may also fail before it returns a promise.
            return fail() as Promise<void>;
          }
          seen.push(...messages.map(numberOf));
          return Promise.resolve();
        }),
      );
      await bus.publish([event(topic, "one", 1), event(topic, "one", 2)]);
      await eventually(() => seen.length === 2);
      expect(seen).toEqual([1, 2]);
    });

    it("parks a poison message alone, with what it failed with, and goes on behind it", async () => {
      const { bus, topic } = await setUp();
      const seen = new Set<number>();
      const parked: PoisonMessage[] = [];
      bus.subscribe(
        subscription(
          topic,
          async (messages) => {
            for (const message of messages) {
              if (numberOf(message) === 4) throw new Error("cannot read four");
              seen.add(numberOf(message));
            }
          },
          { parkPoison: async (poison) => void parked.push(poison) },
        ),
      );
      await bus.publish(Array.from({ length: 10 }, (_, index) => event(topic, "one", index)));
      await eventually(() => seen.size === 9);
      expect(parked.map(({ message }) => numberOf(message))).toEqual([4]);
      expect(parked[0]).toMatchObject({ group: groupOf(topic), attempts: QUICK.deliveryMaxAttempts });
      expect(String(parked[0]?.error)).toContain("cannot read four");
    });

    it("keeps a poison message while it cannot be parked", async () => {
      const { bus, topic } = await setUp();
      let refusals = 3;
      const events: string[] = [];
      bus.subscribe(
        subscription(
          topic,
          async ([message]) => {
            if (numberOf(message as EventMessage) === 1) throw new Error("poison");
            events.push("handled 2");
          },
          {
            parkPoison: async () => {
              if (refusals-- > 0) throw new Error("the disk is full");
              events.push("parked 1");
            },
          },
        ),
      );
      await bus.publish([event(topic, "one", 1), event(topic, "one", 2)]);
      await eventually(() => events.length === 2);
      expect(events).toEqual(["parked 1", "handled 2"]);
    });

    it("keeps what a stopped consumer left for the one that comes after it", async () => {
      const { bus, topic } = await setUp({ batchMaxMessages: 1 });
      const seen: number[] = [];
      const stopped = Promise.withResolvers<void>();
      const first = bus.subscribe(
        subscription(topic, async (messages, { signal }) => {
          if (seen.length >= 3) {
            stopped.resolve();
            await aborted(signal);
            throw new Error("stopped in the middle");
          }
          seen.push(...messages.map(numberOf));
        }),
      );
      const published = bus.publish(Array.from({ length: 10 }, (_, index) => event(topic, "one", index)));
      await stopped.promise;
      await first.close();
      expect(seen).toEqual([0, 1, 2]);
      bus.subscribe(subscription(topic, async (messages) => void seen.push(...messages.map(numberOf))));
      await published;
      await eventually(() => seen.length === 10);
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it("waits in close() for the handler under way", async () => {
      const { bus, topic } = await setUp();
      const started = Promise.withResolvers<void>();
      let done = false;
      const consumer = bus.subscribe(
        subscription(topic, async (_, { signal }) => {
          started.resolve();
          await aborted(signal);
          await new Promise((resolve) => setImmediate(resolve));
          done = true;
        }),
      );
      const published = bus.publish([event(topic, "one", 1)]);
      await started.promise;
      await consumer.close();
      expect(done).toBe(true);
      await published;
    });

    it("moves partitions to members that join, and back, without loss or disorder", async () => {
      const { bus, topic } = await setUp({ batchMaxMessages: 3 });
      const seen = new Map<string, number[]>();
      const handler: EventHandler = async (messages) => {
        await new Promise((resolve) => setImmediate(resolve));
        for (const message of messages) seen.set(message.key, [...(seen.get(message.key) ?? []), numberOf(message)]);
      };
      const stays = bus.subscribe(subscription(topic, handler));
      for (let round = 0; round < 5; round += 1) {
        const guest = bus.subscribe(subscription(topic, handler));
        await harness.membersJoined(groupOf(topic), 2);
        const batch = Array.from({ length: 60 }, (_, index) => event(topic, `key-${index % 12}`, round * 60 + index));
        const published = bus.publish(batch);
        await guest.close();
        await published;
      }
      await eventually(() => new Set([...seen.values()].flat()).size === 300);
      for (const numbers of seen.values()) {
        const firstTimes = [...new Set(numbers)];
        expect(firstTimes).toEqual(firstTimes.toSorted((a, b) => a - b));
      }
      await stays.close();
    });

    it("loses and doubles nothing for a deduping consumer while members come and go", async () => {
      const { bus, topic } = await setUp({ batchMaxMessages: 10 });
      const positions = createMemoryPositionStore();
      const effects: EventMessage[] = [];
      const handler = createDedupingConsumer({
        positions,
        async handler(messages) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          effects.push(...messages);
        },
      });
      const join = () => bus.subscribe(subscription(topic, handler));
      const members = [join(), join()];
      await harness.membersJoined(groupOf(topic), 2);
      let row = 0;
      const isOver = { storm: false };
      const publishing = (async () => {
        while (!isOver.storm) {
          row += 1;
          const batch = Array.from({ length: 40 }, (_, index) =>
            event(topic, `key-${index % 8}`, row * 100 + index, { partition: row % 2, offset: row, index }),
          );
          await bus.publish(batch);
          // Every third row twice, as after a crash of the publisher.
          if (row % 3 === 0) await bus.publish(batch);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      // The oldest goes and a new one comes, one after the other and both at once; nobody waits for the group to settle.
      for (let change = 0; change < 8; change += 1) {
        const leaving = members.shift()?.close();
        members.push(join());
        if (change % 2 === 0) await leaving;
        await new Promise((resolve) => setTimeout(resolve, change * 20));
      }
      isOver.storm = true;
      await publishing;
      await eventually(() => effects.length >= row * 40);
      const ids = effects.map(({ headers }) => headers.ce_id);
      expect(new Set(ids).size).toBe(row * 40);
      expect(ids).toHaveLength(row * 40);
      for (const ofKey of Map.groupBy(effects, ({ key }) => key).values()) {
        const numbers = ofKey.map(numberOf);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
    });

    it("gives a deduping consumer each event once, though the source repeats itself and handlers fail", async () => {
      const { bus, topic } = await setUp({ batchMaxMessages: 5 });
      const positions = createMemoryPositionStore();
      const effects: string[] = [];
      let calls = 0;
      bus.subscribe(
        subscription(
          topic,
          createDedupingConsumer({
            positions,
            async handler(messages) {
              calls += 1;
              if (calls % 3 === 0) throw new Error("a fault in passing");
              effects.push(...messages.map(({ headers }) => headers.ce_id));
            },
          }),
        ),
      );
      // Two rows of events; the publisher crashed before its cursor moved, twice.
      const rows = [1, 2].map((offset) =>
        Array.from({ length: 20 }, (_, index) =>
          event(topic, `key-${index % 6}`, offset * 100 + index, { partition: 7, offset, index }),
        ),
      );
      await bus.publish(rows[0] ?? []);
      await bus.publish(rows.flat());
      await bus.publish(rows.flat());
      await eventually(() => new Set(effects).size === 40);
      // A marker behind everything: when it took effect, so did or did not all copies before it.
      await bus.publish(
        Array.from({ length: 6 }, (_, index) =>
          event(topic, `key-${index}`, 900 + index, { partition: 7, offset: 3, index }),
        ),
      );
      await eventually(() => new Set(effects).size === 46);
      expect(effects).toHaveLength(46);
    });

    // A broker keeps what a consumer has not handled: there nothing of the publisher's waits for it.
    if (!harness.publishWaitsForConsumers) return;

    it("holds a bounded part of what a slow consumer has not handled", async () => {
      const { bus, topic } = await setUp({ queueMaxMessages: 10, batchMaxMessages: 2 });
      const gate = Promise.withResolvers<void>();
      const seen: number[] = [];
      bus.subscribe(
        subscription(topic, async (messages) => {
          await gate.promise;
          seen.push(...messages.map(numberOf));
        }),
      );
      let taken = 0;
      const batches = Array.from({ length: 10 }, (_, batch) =>
        bus.publish(Array.from({ length: 10 }, (__, index) => event(topic, "one", batch * 10 + index))).then(() => {
          taken += 1;
        }),
      );
      await new Promise((resolve) => setImmediate(resolve));
      expect(taken).toBe(0);
      gate.resolve();
      await Promise.all(batches);
      expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => index));
    });

    it("rejects a publish that close() leaves unhandled, so that it is repeated after a restart", async () => {
      const { bus, topic } = await setUp();
      const started = Promise.withResolvers<void>();
      bus.subscribe(
        subscription(topic, async (_, { signal }) => {
          started.resolve();
          await aborted(signal);
          throw new Error("stopped");
        }),
      );
      const published = bus.publish([event(topic, "one", 1)]);
      const [outcome] = await Promise.all([Promise.allSettled([published]), started.promise.then(() => bus.close())]);
      expect(outcome).toMatchObject([{ status: "rejected", reason: { kind: "unavailable" } }]);
      await expect(bus.publish([event(topic, "one", 2)])).rejects.toThrow("the event bus is closed");
    });

    it("forgets a group that is not durable with its last member", async () => {
      const { bus, topic } = await setUp();
      const started = Promise.withResolvers<void>();
      const onlooker = bus.subscribe(
        subscription(
          topic,
          async (_, { signal }) => {
            started.resolve();
            await aborted(signal);
            throw new Error("gone");
          },
          { durable: false },
        ),
      );
      const published = bus.publish([event(topic, "one", 1)]);
      await started.promise;
      expect(bus.hasConsumers(topic)).toBe(true);
      await onlooker.close();
      await published;
      expect(bus.hasConsumers(topic)).toBe(false);
    });
  });
}

function subscription(topic: string, handler: EventHandler, options: Partial<SubscribeOptions> = {}): SubscribeOptions {
  return {
    group: groupOf(topic),
    topics: [topic],
    handler,
    parkPoison: async ({ message, error }) => {
      throw new Error(`unexpected poison ${message.headers.ce_id}`, { cause: error });
    },
    ...options,
  };
}

/** Each test has groups of its own, as it has topics: a broker outlives it. */
function groupOf(topic: string, name = "group"): string {
  return `${name}-of-${topic}`;
}

function event(
  topic: string,
  key: string,
  number: number,
  position?: { partition: number; offset: number; index: number },
): EventMessage {
  const value = Buffer.from(String(number));
  return createRawEventMessage(topic, value, { id: `${key}/${number}`, source: "/heddle/test", key, position });
}

function numberOf({ value }: EventMessage): number {
  return Number(Buffer.from(value).toString());
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Gives a consumer whatever time it needs; the test's own time limit ends a wait in vain. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
