import { describe, expect, it } from "vitest";
import { createSample } from "./sample.ts";

const take = (size: number, of: number, seed: number): readonly number[] => {
  const sample = createSample<number>(size, seed);
  for (let item = 0; item < of; item++) sample.add(item);
  return sample.items();
};

describe("createSample", () => {
  it("keeps everything that fits", () => {
    expect(take(5, 3, 1)).toEqual([0, 1, 2]);
    expect(take(0, 100, 1)).toEqual([]);
  });

  it("is the same for the same seed, and another for another", () => {
    expect(take(10, 1_000, 7)).toEqual(take(10, 1_000, 7));
    expect(take(10, 1_000, 7)).not.toEqual(take(10, 1_000, 8));
    expect(new Set(take(10, 1_000, 7)).size).toBe(10);
  });

  it("gives early and late items the same chance", () => {
    let early = 0;
    for (let seed = 0; seed < 200; seed++) early += take(20, 400, seed).filter((item) => item < 200).length;
    // 2000 of 4000, with a standard deviation below 32; the seeds are fixed.
    expect(early).toBeGreaterThan(1_850);
    expect(early).toBeLessThan(2_150);
  });
});
