import type { Database } from "@heddle/store";
import type { JournalLimits } from "./limits.ts";
import type { Partition } from "./partition.ts";
import type { AggregateType, Logger, Projection } from "./types.ts";

/** What the parts of one runtime share. */
export interface Core<State, Command, Event, Captured> {
  readonly database: Database;
  readonly aggregate: AggregateType<State, Command, Event>;
  readonly projection: Projection<State, Captured>;
  readonly limits: JournalLimits;
  readonly logger: Logger;
  readonly now: () => number;
  readonly partitionCount: number;
  /** By number; undefined where another process is the owner. */
  readonly partitions: (Partition<State, Command> | undefined)[];
  readonly counters: Counters;
  /** Offset of the last settled flush. The next has a higher one, and so has whatever a later owner of our partitions writes. */
  lastOffset: number;
}

export interface Counters {
  flushes: number;
  events: number;
  bytes: number;
  commands: number;
  refusals: number;
  defects: number;
  lastFlushMs: number;
  unprojectedEvents: number;
  unprojectedBytes: number;
}

export function createCounters(): Counters {
  return {
    flushes: 0,
    events: 0,
    bytes: 0,
    commands: 0,
    refusals: 0,
    defects: 0,
    lastFlushMs: 0,
    unprojectedEvents: 0,
    unprojectedBytes: 0,
  };
}

const nothing = (): void => undefined;
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
