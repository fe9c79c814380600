import fc from "fast-check";
import { expect, it } from "vitest";
import { fairShare } from "./fair-share.ts";

it("gives out every shard, and nobody two more than another", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 64 }), (count, shards) => {
      const owners = Array.from({ length: count }, (_, index) => `owner-${String(index).padStart(2, "0")}`);
      const shares = owners.map((owner) => fairShare(shards, owners, owner));
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(shards);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});

it("gives nothing to one that is not among them", () => {
  expect(fairShare(8, ["a", "b"], "c")).toBe(0);
});
