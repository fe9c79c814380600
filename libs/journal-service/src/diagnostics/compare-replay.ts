import { type AggregateType, type JournalRecord, type PayloadLookup, replay } from "@heddle/journal";

/** The state that a history must lead to. */
export interface ExpectedState<State> {
  id: string;
  /** Number of the last event that it has seen. */
  lastSeq: number;
  /** Where the replayed state differs from it; empty when it does not. Undefined stands for a history without events. */
  compare(replayed: State | undefined): string;
}

/** Where the events of a replay come from. */
export interface HistorySource {
  /** The next events after a number, in order; none: there are no more. */
  read(afterSeq: number): Promise<readonly JournalRecord[]>;
  loadPayloads(digests: readonly string[]): Promise<PayloadLookup>;
}

/** What a replay came to. */
export interface ReplayComparison {
  /** Number of the last event that could be applied. */
  reachedSeq: number;
  /** Empty when both are equal. */
  difference: string;
}

/** Replays a history from its first event on and compares what it gives with what it must give. Never throws because of what is stored. */
export async function compareReplay<State, Command, Event>(
  type: AggregateType<State, Command, Event>,
  { id, lastSeq, compare }: ExpectedState<State>,
  source: HistorySource,
): Promise<ReplayComparison> {
  let state: State | undefined;
  let seq = 0;
  while (seq < lastSeq) {
    const records = (await source.read(seq)).filter((record) => record.seq <= lastSeq);
    if (records.length === 0) {
      return { reachedSeq: seq, difference: `the history ends at event ${seq}, not ${lastSeq}` };
    }
    const payloads = await source.loadPayloads(records.flatMap(({ payloadDigests }) => payloadDigests));
    try {
      await type.prepare?.(records.map(({ bytes }) => type.decodeEvent(bytes, payloads)));
      ({ state, seq } = replay(type, id, state, records, payloads));
    } catch (error) {
      return { reachedSeq: seq, difference: `the replay stops: ${messageOf(error)}` };
    }
  }
  try {
    return { reachedSeq: seq, difference: compare(state) };
  } catch (error) {
    return { reachedSeq: seq, difference: `the snapshot cannot be read: ${messageOf(error)}` };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
