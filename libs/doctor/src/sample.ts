/** A sample of a stream whose length nobody knows: each item is in it with the same chance. */
export interface Sample<T> {
  add(item: T): void;
  items(): readonly T[];
}

/** Keeps `size` items. The same seed and the same stream give the same sample. */
export function createSample<T>(size: number, seed: number): Sample<T> {
  const random = createRandom(seed);
  const kept: T[] = [];
  let seen = 0;
  return {
    add(item) {
      seen += 1;
      if (kept.length < size) {
        kept.push(item);
        return;
      }
      const place = Math.floor(random() * seen);
      if (place < size) kept[place] = item;
    },
    items: () => kept,
  };
}

/** mulberry32: numbers from 0 up to 1. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
