import { describe, expect, it } from "vitest";
import { createRawEventMessage } from "../event-message.ts";
import { createKafkaBus } from "./kafka-bus.ts";

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

describe("Kafka bus without a broker", () => {
  // Port 1 of this machine: nobody listens there.
  const open = () => createKafkaBus({ brokers: ["127.0.0.1:1"], clientId: "test", topics: [] });
  const message = createRawEventMessage("t", new Uint8Array(), { id: "a/1", source: "/test", key: "a" });

  it.each([true, false])("waits for it, and ends all of that when it closes (durable: %s)", async (durable) => {
    const before = countTimers();
    const bus = open();
    let settled = false;
    const published = bus.publish([message]).catch((error: { reason?: string }) => {
      settled = true;
      return error.reason;
    });
    const handler = async (): Promise<void> => {};
    const one = bus.subscribe({ group: "g", topics: ["t"], handler, parkPoison: handler, durable });
    bus.subscribe({ group: "other", topics: ["t"], handler, parkPoison: handler, durable });
    for (let count = 0; count < 30; count += 1) await turn();
    expect(settled).toBe(false);
    await one.close();
    await bus.close();
    expect(await published).toBe("SHUTTING_DOWN");
    // kafkajs finds out at the end of its pause.
    while (countTimers() > before) await turn();
  });
});
