import type { AggregateType, JournalRecord, PayloadLookup } from "./types.ts";

/**
 * Applies the records that the state has not seen. Throws when one cannot be decoded or applied, or is missing: the
 * state may then be half changed and must not be used.
 */
export function replay<State, Command, Event>(
  type: AggregateType<State, Command, Event>,
  id: string,
  from: State | undefined,
  records: readonly JournalRecord[],
  payloads: PayloadLookup,
): { state: State | undefined; seq: number } {
  let state = from;
  let seq = state === undefined ? 0 : type.seq(state);
  for (const record of records) {
    if (record.seq <= seq) continue;
    if (record.seq !== seq + 1) throw new Error(`${id} is at seq ${seq}, and its next event has seq ${record.seq}`);
    state = type.evolve(state, type.decodeEvent(record.bytes, payloads), { id });
    seq = record.seq;
    const reached = type.seq(state);
    if (reached !== seq) throw new Error(`event ${seq} of ${id} brought it to seq ${reached}`);
  }
  return { state, seq };
}
