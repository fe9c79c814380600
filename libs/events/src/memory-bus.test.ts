import { describe, expect, it } from "vitest";
import { runBusSuite } from "../test/bus-suite.ts";
import { createMemoryBus, createRawEventMessage } from "./index.ts";

runBusSuite("memory bus", {
  open: async ({ limits }) => createMemoryBus({ limits }),
  publishWaitsForConsumers: true,
  membersJoined: async () => {},
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
