import { expect, it } from "vitest";
import { runBusSuite } from "../test/bus-suite.ts";
import type { DeliveryContext, EventMessage, PoisonMessage } from "./index.ts";
import { createMemoryBus, createRawEventMessage, prefixTopics } from "./index.ts";

runBusSuite("bus with a prefix", {
  open: async ({ limits }) => prefixTopics(createMemoryBus({ limits }), "staging."),
  publishWaitsForConsumers: true,
  membersJoined: async () => {},
});

const message = createRawEventMessage("topic", new Uint8Array([1]), { id: "a/1", source: "/test", key: "a" });

it("keeps installations apart that share a broker, and tells handlers none of it", async () => {
  const broker = createMemoryBus();
  const seen: Record<string, { messages: readonly EventMessage[]; context: DeliveryContext }[]> = {};
  const raw: string[] = [];
  for (const name of ["", "a.", "b."]) {
    const handler = async (messages: readonly EventMessage[], context: DeliveryContext): Promise<void> => {
      (seen[name] ??= []).push({ messages, context });
    };
    prefixTopics(broker, name).subscribe({ group: "g", topics: ["topic"], handler, parkPoison: async () => {} });
  }
  const handler = async (messages: readonly EventMessage[]): Promise<void> =>
    void raw.push(...messages.map(({ topic }) => topic));
  broker.subscribe({ group: "looks on", topics: ["topic", "a.topic"], handler, parkPoison: async () => {} });
  await prefixTopics(broker, "a.").publish([message]);
  expect(Object.keys(seen)).toEqual(["a."]);
  expect(seen["a."]).toMatchObject([{ messages: [message], context: { group: "g", topic: "topic" } }]);
  expect(raw).toEqual(["a.topic"]);
  await broker.close();
});

it("puts aside under the names without it", async () => {
  const parked: PoisonMessage[] = [];
  const limits = { deliveryMaxAttempts: 1, redeliveryMinMs: 1, redeliveryMaxMs: 1 };
  const bus = prefixTopics(createMemoryBus({ limits }), "a.");
  bus.subscribe({
    group: "g",
    topics: ["topic"],
    handler: () => Promise.reject(new Error("no")),
    parkPoison: async (poison) => void parked.push(poison),
  });
  await bus.publish([message]);
  expect(parked).toMatchObject([{ group: "g", message: { topic: "topic", key: "a" } }]);
  await bus.close();
});

it("leaves the topics of others as they are, and has groups of its own there", async () => {
  const broker = createMemoryBus({ limits: { deliveryMaxAttempts: 1, redeliveryMinMs: 1, redeliveryMaxMs: 1 } });
  const seen: string[] = [];
  for (const name of ["a.", "b."]) {
    prefixTopics(broker, name).subscribe({
      group: "g",
      topics: ["topic"],
      foreign: true,
      async handler(messages, context) {
        for (const { topic } of messages) seen.push(`${name} ${context.group} ${context.topic} ${topic}`);
        throw new Error("no");
      },
      async parkPoison({ group, message: { topic } }) {
        seen.push(`${name} parks ${group} ${topic}`);
      },
    });
  }
  await broker.publish([message]);
  expect(seen.toSorted()).toEqual(["a. g topic topic", "a. parks g topic", "b. g topic topic", "b. parks g topic"]);
  await broker.close();
});
