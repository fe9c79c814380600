import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { privateTestKafka, testKafka, uniqueTopic } from "../src/index.ts";

describe("where there is Kafka", () => {
  beforeEach((context) => {
    const { skipReason } = privateTestKafka();
    if (skipReason !== undefined) context.skip(skipReason);
    vi.stubEnv("KAFKA_BROKERS", "");
  });

  test("all tests of a run share one broker, and those that break theirs have another", async () => {
    const [address] = await testKafka().brokers();
    expect(await testKafka().brokers()).toEqual([address]);
    const own = await privateTestKafka().start({ settings: { "num.partitions": 3 } });
    try {
      expect(own.address).not.toBe(address);
      expect(readFileSync(join(own.dir, "server.properties"), "utf8")).toContain("num.partitions=3");
    } finally {
      await own.purge();
    }
  });
});

test("brokers that are given are used, and need nothing here", async () => {
  vi.stubEnv("KAFKA_BROKERS", "one:9092, two:9092,");
  vi.stubEnv("JAVA_HOME", "/nowhere");
  const kafka = testKafka();
  expect(kafka.skipReason).toBeUndefined();
  expect(await kafka.brokers()).toEqual(["one:9092", "two:9092"]);
  expect(privateTestKafka().skipReason).toContain("Java 17");
});

test("without Java the reason to skip says what to install", () => {
  vi.stubEnv("KAFKA_BROKERS", "");
  vi.stubEnv("JAVA_HOME", "/nowhere");
  expect(testKafka().skipReason).toMatch(/^Kafka needs Java 17 or newer: install with `.+`, or set KAFKA_BROKERS/);
});

test("topics have names of their own", () => {
  expect(uniqueTopic("orders")).toMatch(/^orders-[0-9a-f-]{36}$/);
  expect(uniqueTopic("orders")).not.toBe(uniqueTopic("orders"));
});
