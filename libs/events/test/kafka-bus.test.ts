import { testKafka } from "@heddle/testing";
import { afterAll } from "vitest";
import { createKafkaBus } from "../src/index.ts";
import { runBusSuite } from "./bus-suite.ts";
import { type GroupWatcher, testTopic, watchGroups } from "./kafka-support.ts";

const kafka = testKafka();
let watcher: Promise<GroupWatcher> | undefined;
afterAll(async () => (await watcher)?.close());

runBusSuite("Kafka bus", {
  skipReason: kafka.skipReason,
  publishWaitsForConsumers: false,
  open: async ({ topics, limits }) =>
    createKafkaBus({
      brokers: await kafka.brokers(),
      clientId: "test",
      topics: topics.map((topic) => testTopic(topic)),
      limits: { ...limits, retryMinMs: 20 },
    }),
  async membersJoined(group, members) {
    watcher ??= watchGroups(await kafka.brokers());
    await (await watcher).membersJoined(group, members);
  },
});
