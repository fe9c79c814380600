import type { ExecutionState } from "@heddle/engine";
import type { JournalRecord } from "@heddle/journal";
import { snapshotAlwaysBytes, snapshotHistoryShare } from "../domain/limits.ts";

/**
 * When the snapshot of an execution is written again. One of a few kilobytes always is. A larger one waits until the
 * history since has grown to a part of its size: so snapshots cost, in sum, no more than a multiple of the history, however
 * large the execution is, and who reads it back has a bounded tail to replay.
 */
export interface SnapshotPace {
  /** Whether the next row of the execution needs its snapshot. */
  isDue(state: ExecutionState, events: readonly JournalRecord[], finished: boolean): boolean;
  /** The row with a snapshot of this size is stored. */
  stored(state: ExecutionState, bytes: number): void;
}

interface Mark {
  bytes: number;
  historyBytes: number;
}

export function createSnapshotPace(): SnapshotPace {
  // By state: it is the same object for as long as the execution is in memory.
  const marks = new WeakMap<ExecutionState, Mark>();
  return {
    isDue(state, events, finished) {
      const mark = marks.get(state);
      if (mark === undefined || finished || mark.bytes <= snapshotAlwaysBytes) return true;
      // What could not be written comes again and counts twice: the snapshot is sooner then.
      for (const { bytes } of events) mark.historyBytes += bytes.length;
      return mark.historyBytes >= mark.bytes * snapshotHistoryShare;
    },
    stored(state, bytes) {
      marks.set(state, { bytes, historyBytes: 0 });
    },
  };
}
