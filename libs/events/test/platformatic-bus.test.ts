import { testKafka } from "@heddle/testing";
import { afterAll } from "vitest";
import { runBusSuite } from "./bus-suite.ts";
import { type GroupWatcher, watchGroups } from "./kafka-support.ts";
import { createPlatformaticBus } from "./platformatic-bus.ts";

const kafka = testKafka();
let watcher: Promise<GroupWatcher> | undefined;
afterAll(async () => (await watcher)?.close());

runBusSuite("Kafka bus of another client", {
  skipReason: kafka.skipReason,
  publishWaitsForConsumers: false,
  open: async ({ topics, limits }) =>
    createPlatformaticBus({ brokers: await kafka.brokers(), topics, partitions: 6, limits }),
  async membersJoined(group, members) {
    watcher ??= watchGroups(await kafka.brokers());
    await (await watcher).membersJoined(group, members);
  },
});
