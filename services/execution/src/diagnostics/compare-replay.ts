import { findDifference } from "@heddle/doctor";
import { decodeState, type Plan } from "@heddle/engine";
import { childId } from "@heddle/journal";
import { compareReplay as compareHistory, type HistorySource, type ReplayComparison } from "@heddle/journal-service";
import { createExecutionAggregate } from "../domain/aggregate.ts";

/** The state that a history must lead to. */
export interface ExpectedState {
  id: string;
  plan: Plan;
  /** As `encodeState` wrote it. */
  snapshot: string;
  /** Number of the last event that it has seen. */
  lastSeq: number;
}

/** Replays the history of an execution from its first event on and compares what it gives with a snapshot. */
export async function compareReplay(
  { id, plan, snapshot, lastSeq }: ExpectedState,
  source: HistorySource,
): Promise<ReplayComparison> {
  const type = createExecutionAggregate({ get: () => plan, load: async () => {} }, childId);
  return await compareHistory(
    type,
    { id, lastSeq, compare: (replayed) => differenceOf(snapshot, replayed?.state) },
    source,
  );
}

function differenceOf(snapshot: string, replayed: unknown): string {
  const difference = findDifference(decodeState(snapshot), replayed);
  return difference === undefined ? "" : `${difference} by the replay`;
}
