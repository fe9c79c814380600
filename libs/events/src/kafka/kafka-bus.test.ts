import { createMetrics } from "@heddle/telemetry";
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

  it("shows what alerts ask for before anything has happened", async () => {
    const metrics = createMetrics();
    const topics = [{ name: "made", partitions: 1, replicationFactor: 1, retentionMs: 1_000 }];
    const bus = createKafkaBus({ brokers: ["127.0.0.1:1"], clientId: "test", topics, metrics });
    const handler = async (): Promise<void> => {};
    bus.subscribe({ group: "g", topics: ["t"], handler, parkPoison: handler });
    const published = bus.publish([message]).catch(() => {});
    const lines = metrics.text().split("\n");
    await bus.close();
    await published;
    expect(lines).toEqual(
      expect.arrayContaining([
        'heddle_events_refused_total{topic="made"} 0',
        'heddle_events_refused_total{topic="t"} 0',
        'heddle_events_parked_total{group="g",topic="t"} 0',
        'heddle_consumer_restarts_total{group="g"} 0',
      ]),
    );
  });

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
