import { create } from "@bufbuild/protobuf";
import { findDifference } from "@heddle/doctor";
import { decodeState, type ExecutionState, type Plan } from "@heddle/engine";
import { childId, type JournalRecord, type PayloadLookup, replay } from "@heddle/journal";
import { type ReplayOutcome, ReplayOutcomeSchema } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { createExecutionAggregate, type Execution } from "../domain/aggregate.ts";

/** The state that a history must lead to. */
export interface ExpectedState {
  id: string;
  plan: Plan;
  /** As `encodeState` wrote it. */
  snapshot: string;
  /** Number of the last event that it has seen. */
  lastSeq: number;
}

/** Where the events of a replay come from. */
export interface HistorySource {
  /** The next events after a number, in order; none: there are no more. */
  read(afterSeq: number): Promise<readonly JournalRecord[]>;
  loadPayloads(digests: readonly string[]): Promise<PayloadLookup>;
}

/** Replays a history from its first event on and compares what it gives with what it must give. Never throws because of what is stored. */
export async function compareReplay(expected: ExpectedState, source: HistorySource): Promise<ReplayOutcome> {
  const { id, plan, snapshot, lastSeq } = expected;
  const type = createExecutionAggregate({ get: () => plan, load: async () => {} }, childId);
  let state: Execution | undefined;
  let seq = 0;
  while (seq < lastSeq) {
    const records = (await source.read(seq)).filter((record) => record.seq <= lastSeq);
    if (records.length === 0) return outcome(seq, `the history ends at event ${seq}, not ${lastSeq}`);
    const payloads = await source.loadPayloads(records.flatMap(({ payloadDigests }) => payloadDigests));
    try {
      ({ state, seq } = replay(type, id, state, records, payloads));
    } catch (error) {
      return outcome(seq, `the replay stops: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return outcome(seq, compare(state?.state, snapshot));
}

function compare(replayed: ExecutionState | undefined, snapshot: string): string {
  try {
    const difference = findDifference(decodeState(snapshot), replayed);
    return difference === undefined ? "" : `${difference} by the replay`;
  } catch (error) {
    return `the snapshot cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function outcome(reachedSeq: number, difference: string): ReplayOutcome {
  return create(ReplayOutcomeSchema, { reachedSeq: BigInt(reachedSeq), difference });
}
