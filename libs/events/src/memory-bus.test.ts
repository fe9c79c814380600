import { DomainError } from "@heddle/errors";
import { describe, expect, it } from "vitest";
import { runBusSuite } from "../test/bus-suite.ts";
import type { BusLogger } from "./bus-log.ts";
import { createMemoryBus, createRawEventMessage } from "./index.ts";

runBusSuite("memory bus", {
  open: async ({ limits }) => createMemoryBus({ limits }),
  publishWaitsForConsumers: true,
  membersJoined: async () => {},
});

it("says now and then what a group waits for, and for which event", async () => {
  const said: { fields: object; text: string }[] = [];
  const logger = {
    debug() {},
    info() {},
    error() {},
    warn: (fields: object, text: string) => said.push({ fields, text }),
  };
  const limits = { redeliveryMinMs: 1, redeliveryMaxMs: 1 };
  const bus = createMemoryBus({ partitions: 1, limits, logger: logger as unknown as BusLogger });
  const away = new DomainError({ kind: "unavailable", reason: "ANY", message: "not at the moment" });
  let deliveries = 0;
  const handler = async (): Promise<void> => {
    deliveries += 1;
    if (deliveries <= 20) throw away;
  };
  bus.subscribe({ group: "g", topics: ["topic"], handler, parkPoison: () => Promise.reject(new Error("not poison")) });
  await bus.publish([createRawEventMessage("topic", new Uint8Array(), { id: "a/1", source: "/test", key: "a" })]);
  await bus.close();
  const about = { group: "g", topic: "topic", partition: 0, event: "a/1", err: away };
  expect(said.map(({ fields }) => fields)).toEqual([1, 2, 4, 8, 16].map((times) => ({ ...about, times })));
  expect(said[0]?.text).toContain("wait until it is back");
});

describe("memory bus without consumers", () => {
  const message = createRawEventMessage("topic", new Uint8Array(), { id: "a/1", source: "/test", key: "a" });

  it("takes messages that nobody wants", async () => {
    const bus = createMemoryBus();
    expect(bus.hasConsumers("topic")).toBe(false);
    await expect(bus.publish([message])).resolves.toBeUndefined();
    await bus.close();
  });

  it("refuses a subscription that could never get anything", () => {
    const bus = createMemoryBus();
    const options = { group: "g", topics: [], handler: async () => {}, parkPoison: async () => {} };
    expect(() => bus.subscribe(options)).toThrow("group g names no topic");
  });

  it.each([0, 1.5, 1_025])("refuses %s partitions", (partitions) => {
    expect(() => createMemoryBus({ partitions })).toThrow("use a whole number from 1 to 1024");
  });

  it("lets a message in that is larger than the whole queue", async () => {
    const bus = createMemoryBus({ limits: { queueMaxBytes: 10 } });
    let handled = 0;
    const handler = async (): Promise<void> => void (handled += 1);
    bus.subscribe({ group: "g", topics: ["topic"], handler, parkPoison: async () => {} });
    await bus.publish([message, message, message]);
    expect(handled).toBe(3);
    await bus.close();
  });
});
