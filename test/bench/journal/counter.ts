import type { AggregateType, Projection } from "@heddle/journal";

/** The cheapest aggregate there can be: what is measured is the runtime and Postgres, not what it carries. */
export interface Counter {
  seq: number;
}

export type Increment = "increment";

export function createCounterType(event: Uint8Array): AggregateType<Counter, Increment, Uint8Array> {
  const evolve = (state: Counter | undefined): Counter => {
    const counter = state ?? { seq: 0 };
    counter.seq++;
    return counter;
  };
  return {
    decide: (state) => ({ state: evolve(state), events: [event] }),
    evolve,
    encodeEvent: (bytes) => bytes,
    decodeEvent: (bytes) => bytes,
    seq: (state) => state.seq,
    nextTimer: () => undefined,
    isFinished: () => false,
  };
}

/** Appends are measured alone: nothing is projected within a run. */
export const noProjection: Projection<Counter> = {
  capture: () => undefined,
  write: () => Promise.resolve(),
  loadLive: () => Promise.resolve([]),
  load: () => Promise.resolve([]),
};
