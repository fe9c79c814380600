import type { Core } from "./core.ts";
import { idToBytes } from "./id.ts";
import { createAggregate, type Partition, type ResidentAggregate } from "./partition.ts";
import { loadPayloads } from "./payloads.ts";
import { readJournalPage } from "./read.ts";
import type { StoredRecord } from "./record.ts";
import type { JournalEntry, JournalRecord, Loaded, PayloadLookup } from "./types.ts";

/** A replay lets others have the event loop after this long. */
const MAX_STRETCH_MS = 20;

/** One partition while it is recovered; nothing of it is visible before the end. */
interface Recovering<State, Command> {
  partition: Partition<State, Command>;
  aggregates: Map<string, ResidentAggregate<State, Command>>;
  held: Set<ResidentAggregate<State, Command>>;
  head: number;
}

/**
 * Fills partitions that were just taken: what is live as projected, and on it the journal since, which is read once
 * for all of them. Throws when the database fails; the partitions are then as empty as before.
 */
export async function recoverPartitions<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  partitions: readonly Partition<State, Command>[],
  isCurrent: (partition: Partition<State, Command>) => boolean,
): Promise<void> {
  const recovering = new Map<number, Recovering<State, Command>>();
  const queue = [...partitions];
  const loadNext = async (): Promise<void> => {
    for (let partition = queue.shift(); partition !== undefined; partition = queue.shift()) {
      const entry = { partition, aggregates: new Map(), held: new Set<never>(), head: partition.headOffset };
      recovering.set(partition.number, entry);
      for (const loaded of await core.projection.loadLive(partition.number)) addLoaded(core, entry, loaded);
    }
  };
  await Promise.all(Array.from({ length: core.limits.recoveryConcurrency }, loadNext));

  const numbers = partitions.map((partition) => partition.number);
  let after = Math.min(...partitions.map((partition) => partition.projectedOffset));
  for (let isFull = true; isFull; ) {
    const page = await readJournalPage(core.database, numbers, after, core.limits.readMaxRows);
    await applyPage(core, recovering, page.entries);
    after = page.readOffset;
    ({ isFull } = page);
  }
  for (const entry of recovering.values()) {
    // Lost again meanwhile: then nothing of it may be counted.
    if (isCurrent(entry.partition)) install(core, entry);
  }
}

async function applyPage<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  recovering: ReadonlyMap<number, Recovering<State, Command>>,
  page: readonly JournalEntry[],
): Promise<void> {
  const of = (entry: JournalEntry) => recovering.get(entry.partition) as Recovering<State, Command>;
  const entries = page.filter((entry) => entry.offset > of(entry).partition.projectedOffset);
  // New since the last projection, or finished and projected while something else held the journal back.
  const unknown = new Map<string, Recovering<State, Command>>();
  for (const entry of entries) {
    const target = of(entry);
    for (const { id } of entry.records) if (!target.aggregates.has(id)) unknown.set(id, target);
  }
  if (unknown.size > 0) {
    for (const loaded of await core.projection.load([...unknown.keys()])) {
      addLoaded(core, unknown.get(loaded.id) as Recovering<State, Command>, loaded);
    }
  }
  const records = entries.flatMap((entry) => entry.records);
  const payloads = await loadPayloads(
    core.database,
    records.flatMap((record) => record.payloadDigests),
  );
  if (core.aggregate.prepare) await core.aggregate.prepare(decodeAll(core, records, payloads));
  let began = performance.now();
  for (const entry of entries) {
    if (performance.now() - began > MAX_STRETCH_MS) {
      // Nothing of it is visible yet, and the lease must be renewed meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
      began = performance.now();
    }
    const target = of(entry);
    for (const record of entry.records as StoredRecord[]) {
      const aggregate = target.aggregates.get(record.id) ?? add(core, target, record.id, undefined);
      apply(core, aggregate, record, entry.offset, payloads, target.held);
    }
    target.head = Math.max(target.head, entry.offset);
  }
}

function addLoaded<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  target: Recovering<State, Command>,
  loaded: Loaded<State>,
): void {
  if (!("fault" in loaded)) {
    add(core, target, loaded.id, loaded.state);
    return;
  }
  add(core, target, loaded.id, undefined).status = "quarantined";
  core.counters.defects++;
  core.logger.error({ err: loaded.fault, id: loaded.id }, "an aggregate cannot be read back; it is set aside");
}

function add<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  target: Recovering<State, Command>,
  id: string,
  state: State | undefined,
): ResidentAggregate<State, Command> {
  const aggregate = createAggregate<State, Command>(id, idToBytes(id), "ready");
  aggregate.state = state;
  aggregate.seq = state === undefined ? 0 : core.aggregate.seq(state);
  target.aggregates.set(id, aggregate);
  return aggregate;
}

function install<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  { partition, aggregates, held, head }: Recovering<State, Command>,
): void {
  for (const aggregate of aggregates.values()) {
    if (aggregate.unprojected.length > 0) {
      core.counters.unprojectedEvents += aggregate.unprojected.length;
      core.counters.unprojectedBytes += aggregate.unprojected.reduce((total, record) => total + record.bytes.length, 0);
      if (aggregate.status === "ready") partition.dirty.add(aggregate);
    } else if (aggregate.status === "quarantined") {
      continue;
    } else if (aggregate.state === undefined || core.aggregate.isFinished(aggregate.state)) {
      aggregates.delete(aggregate.id);
    }
  }
  partition.aggregates = aggregates;
  partition.held = held;
  partition.headOffset = head;
  partition.recoveredOffset = head;
}

/** For `prepare`, which may see events that turn out to be applied already. What cannot be decoded is met again in `apply`. */
function decodeAll<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  records: readonly JournalRecord[],
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
