import { expect, it } from "vitest";
import { murmur2, partitionOfKey } from "./partitioner.ts";

// The values that Kafka's own client is tested with (UtilsTest.testMurmur2).
it.each([
  ["21", -973_932_308],
  ["foobar", -790_332_482],
  ["a-little-bit-long-string", -985_981_536],
  ["a-little-bit-longer-string", -1_486_304_829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971],
  ["abc", 479_470_107],
])("hashes %s as Kafka does", (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash);
});

it("maps negative hashes to partitions as Kafka's toPositive does", () => {
  expect(partitionOfKey("21", 12)).toBe((-973_932_308 & 0x7fffffff) % 12);
});

it("spreads execution ids over all partitions", () => {
  const used = new Set(Array.from({ length: 200 }, (_, index) => partitionOfKey(`0190-${index}`, 8)));
  expect(used.size).toBe(8);
});
