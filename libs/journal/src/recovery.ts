import type { Core } from "./core.ts";
import { idToBytes } from "./id.ts";
import { createAggregate, type Partition, type ResidentAggregate } from "./partition.ts";
import { loadPayloads } from "./payloads.ts";
import { readJournal } from "./read.ts";
import type { StoredRecord } from "./record.ts";
import type { PayloadLookup } from "./types.ts";

/**
 * Fills a partition that was just taken: what is live as projected, and on it the journal since. Throws when the
 * database fails; the partition is then as empty as before.
 */
export async function recoverPartition<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  partition: Partition<State, Command>,
  isCurrent: () => boolean,
): Promise<void> {
  const aggregates = new Map<string, ResidentAggregate<State, Command>>();
  const add = (id: string, state: State | undefined, idBytes = idToBytes(id)) => {
    const aggregate = createAggregate<State, Command>(id, idBytes, "ready");
    aggregate.state = state;
    aggregate.seq = state === undefined ? 0 : core.aggregate.seq(state);
    aggregates.set(id, aggregate);
    return aggregate;
  };

  for (const { id, state } of await core.projection.loadLive(partition.number)) add(id, state);

  const held = new Set<ResidentAggregate<State, Command>>();
  let head = partition.projectedOffset;
  for (;;) {
    const entries = await readJournal(core.database, partition.number, head, core.limits.readMaxRows);
    if (entries.length === 0) break;
    const records = entries.flatMap((entry) => entry.records) as StoredRecord[];
    // New since the last projection, or finished and projected while something else held the journal back.
    const unknown = [...new Set(records.map((record) => record.id))].filter((id) => !aggregates.has(id));
    if (unknown.length > 0) for (const { id, state } of await core.projection.load(unknown)) add(id, state);
    const payloads = await loadPayloads(
      core.database,
      records.flatMap((record) => record.payloadDigests),
    );
    if (core.aggregate.prepare) await core.aggregate.prepare(decodeAll(core, records, payloads));
    for (const entry of entries) {
      for (const record of entry.records as StoredRecord[]) {
        const aggregate = aggregates.get(record.id) ?? add(record.id, undefined, record.idBytes);
        apply(core, aggregate, record, entry.offset, payloads, held);
      }
      head = entry.offset;
    }
  }

  // Lost again meanwhile: then nothing of it may be counted.
  if (!isCurrent()) return;
  for (const aggregate of aggregates.values()) {
    if (aggregate.unprojected.length > 0) {
      core.counters.unprojectedEvents += aggregate.unprojected.length;
      core.counters.unprojectedBytes += aggregate.unprojected.reduce((total, record) => total + record.bytes.length, 0);
      if (aggregate.status === "ready") partition.dirty.add(aggregate);
    } else if (aggregate.state === undefined || core.aggregate.isFinished(aggregate.state)) {
      aggregates.delete(aggregate.id);
    }
  }
  partition.aggregates = aggregates;
  partition.held = held;
  partition.headOffset = head;
}

/** For `prepare`, which may see events that turn out to be applied already. What cannot be decoded is met again in `apply`. */
function decodeAll<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  records: readonly StoredRecord[],
  payloads: PayloadLookup,
): Event[] {
  const events: Event[] = [];
  for (const record of records) {
    try {
      events.push(core.aggregate.decodeEvent(record.bytes, payloads));
    } catch {
      core.logger.warn({ id: record.id, seq: record.seq }, "a stored event cannot be decoded");
    }
  }
  return events;
}

function apply<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  aggregate: ResidentAggregate<State, Command>,
  record: StoredRecord,
  offset: number,
  payloads: PayloadLookup,
  held: Set<ResidentAggregate<State, Command>>,
): void {
  const { aggregate: type, logger } = core;
  const { id } = aggregate;
  if (record.seq <= aggregate.seq) return;
  if (aggregate.unprojected.length === 0) aggregate.heldOffset = offset;
  aggregate.unprojected.push(record);
  if (aggregate.status === "quarantined") return;
  try {
    if (record.seq !== aggregate.seq + 1) throw new Error(`seq ${record.seq} follows ${aggregate.seq}`);
    aggregate.state = type.evolve(aggregate.state, type.decodeEvent(record.bytes, payloads), { id });
    aggregate.seq = record.seq;
    const reached = type.seq(aggregate.state);
    if (reached !== record.seq) throw new Error(`event ${record.seq} brought it to seq ${reached}`);
  } catch (error) {
    aggregate.status = "quarantined";
    held.add(aggregate);
    core.counters.defects++;
    logger.error({ err: error, id, seq: record.seq }, "a stored event cannot be replayed; its aggregate is set aside");
  }
}
