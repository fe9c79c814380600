import { expect, it } from "vitest";
import { createOwnerRecord } from "./owner-record.ts";

const MEMBERSHIP = {
  owners: [{ owner: "a", address: "http://a:1", expiresInMs: 1_800 }],
  shards: [
    { shard: 0, owner: "a" },
    { shard: 1, owner: "gone" },
    { shard: 2, owner: null },
  ],
};

it("knows an owner until its lease runs out by the own clock, and for less long where it must be fresh", () => {
  let now = 5_000;
  const record = createOwnerRecord(() => now);
  record.update(MEMBERSHIP);
  const a = { owner: "a", address: "http://a:1" };
  expect(record.findOwner(0, 800)).toEqual(a);
  expect([record.findOwner(1, 0), record.findOwner(2, 0), record.findOwner(3, 0)]).toEqual(Array(3).fill(undefined));
  now += 1_000;
  expect([record.findOwner(0, 800), record.findOwner(0, 0)]).toEqual([undefined, a]);
  expect([record.isLive("a"), record.isLive("gone")]).toEqual([true, false]);
  now += 800;
  expect([record.findOwner(0, 0), record.isLive("a")]).toEqual([undefined, false]);
});

it("sends nobody to an owner that could not be reached, for some time", () => {
  let now = 5_000;
  const record = createOwnerRecord(() => now);
  record.update(MEMBERSHIP);
  record.suspect("a", 300);
  expect([record.findOwner(0, 800)?.owner, record.findOwner(0, 0)?.owner]).toEqual([undefined, "a"]);
  now += 300;
  expect(record.findOwner(0, 800)?.owner).toBe("a");
});

it("tells of every look, until it is told to stop", () => {
  const record = createOwnerRecord();
  let looks = 0;
  const end = record.onUpdate(() => (looks += 1));
  record.update(MEMBERSHIP);
  record.update(MEMBERSHIP);
  end();
  record.update(MEMBERSHIP);
  expect(looks).toBe(2);
});
