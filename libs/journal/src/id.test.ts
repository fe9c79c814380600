import fc from "fast-check";
import { expect, test } from "vitest";
import { childId, idBound, idFromBytes, idTime, idToBytes, isId, keyPartition, newId, partitionBits } from "./id.ts";

const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const partitions = fc.integer({ min: 0, max: 63 });
const times = fc.integer({ min: 0, max: 2 ** 48 - 1 });

test("an id is a UUIDv7 that tells its time and its partition", () => {
  fc.assert(
    fc.property(partitions, times, (partition, time) => {
      const id = newId(partition, time);
      expect(id).toMatch(VERSION_7);
      expect(isId(id)).toBe(true);
      expect(partitionBits(id)).toBe(partition);
      expect(idTime(id)).toBe(time);
      expect(idFromBytes(idToBytes(id))).toBe(id);
    }),
  );
});

test("ids do not repeat, and sort by time", () => {
  const ids = Array.from({ length: 10_000 }, () => newId(5, 1_000));
  expect(new Set(ids).size).toBe(10_000);
  expect(newId(63, 1_000) < newId(0, 1_001)).toBe(true);
});

test("the ids of a time begin at its bound", () => {
  // The last time that an id can tell, in the year 10889, has no time after it.
  const times = fc.integer({ min: 0, max: 2 ** 48 - 2 });
  fc.assert(
    fc.property(partitions, times, (partition, time) => {
      const id = newId(partition, time);
      expect(idBound(time) <= id).toBe(true);
      expect(idBound(time + 1) > id).toBe(true);
    }),
  );
});

test("a child has its parent's partition and time, and is the same for the same name only", () => {
  fc.assert(
    fc.property(partitions, times, fc.string(), fc.string(), (partition, time, name, other) => {
      const parent = newId(partition, time);
      const child = childId(parent, name);
      expect(child).toMatch(VERSION_7);
      expect(partitionBits(child)).toBe(partition);
      expect(idTime(child)).toBe(time);
      expect(childId(parent, name)).toBe(child);
      expect(child === parent).toBe(false);
      expect(childId(parent, other) === child).toBe(name === other);
      expect(childId(newId(partition, time), name) === child).toBe(false);
    }),
  );
});

test("keys spread over all partitions, and a namespace is part of the key", () => {
  const found = new Set(Array.from({ length: 2_000 }, (_, n) => keyPartition("default", `order-${n}`, 64)));
  expect(found.size).toBe(64);
  const differs = Array.from({ length: 50 }, (_, n) => keyPartition("a", `${n}`, 64) !== keyPartition("b", `${n}`, 64));
  expect(differs).toContain(true);
  expect(keyPartition("a", "b", 64)).toBe(keyPartition("a", "b", 64));
});

test("a partition outside 0 to 63 is refused", () => {
  for (const partition of [-1, 64, 1.5, Number.NaN]) {
    expect(() => newId(partition, 0)).toThrow("partition must be an integer from 0 to 63");
  }
});

test("what is no id is told from one", () => {
  for (const text of ["", "42", newId(1, 1).toUpperCase(), `${newId(1, 1)} `, newId(1, 1).replaceAll("-", "")]) {
    expect(isId(text)).toBe(false);
  }
});
