import { expect, it } from "vitest";
import { SHARDS, shardOf } from "./shard-of.ts";

it("gives each namespace the same shard for ever: replicas of two versions must agree", () => {
  const names = ["default", "billing", "team-a", "team-b", "a", "ns-7", "ü"];
  expect(Object.fromEntries(names.map((name) => [name, shardOf(name)]))).toMatchInlineSnapshot(`
    {
      "a": 1,
      "billing": 5,
      "default": 2,
      "ns-7": 3,
      "team-a": 0,
      "team-b": 5,
      "ü": 0,
    }
  `);
});

it("takes the empty namespace for the default one", () => {
  expect(shardOf("")).toBe(shardOf("default"));
});

it.each([
  ["numbered", (index: number) => `team-${index}`],
  ["in words", (index: number) => `${["red", "green", "blue", "grey"][index % 4]}-${index >> 2}-service`],
  ["one letter apart", (index: number) => `tenant-${String.fromCharCode(97 + (index % 26))}${index}`],
])("spreads names that are %s", (_kind, nameOf) => {
  const counts = Array.from({ length: SHARDS }, () => 0);
  const names = 4_000;
  for (let index = 0; index < names; index++) (counts[shardOf(nameOf(index))] as number) += 1;
  const even = names / SHARDS;
  for (const count of counts) expect(count).toBeGreaterThan(even * 0.85);
  for (const count of counts) expect(count).toBeLessThan(even * 1.15);
});
