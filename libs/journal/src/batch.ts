import { DomainError } from "@heddle/errors";
import type { Core } from "./core.ts";
import { aggregateQuarantined, partitionNotOwned, payloadTooLarge } from "./errors.ts";
import { idToBytes, partitionBits } from "./id.ts";
import { createAggregate, type Partition, type QueuedCommand, type ResidentAggregate } from "./partition.ts";
import { NO_DIGESTS, type Section, type StoredRecord } from "./record.ts";
import type { CommandQueue } from "./queue.ts";
import type { CommittedTurn, PayloadClaim, SubmitOptions } from "./types.ts";

/** What was decided between two flushes. */
export interface Batch<State, Command, Event> {
  /** Of the journal row that they become. */
  offset: number;
  /** By partition. */
  sections: (PendingSection | undefined)[];
  payloads: PayloadClaim[];
  turns: PendingTurn<State, Command, Event>[];
  /** Every answer, refusals too, in the order of submission: they all may rest on uncommitted state of this batch. */
  answers: Answer<Command>[];
  touched: ResidentAggregate<State, Command>[];
  /** Aggregates whose state a defect may have damaged. */
  damaged: ResidentAggregate<State, Command>[];
  events: number;
  bytes: number;
}

export interface PendingSection extends Section {
  epoch: number;
  records: StoredRecord[];
}

export interface PendingTurn<State, Command, Event> {
  aggregate: ResidentAggregate<State, Command>;
  records: StoredRecord[];
  turn: CommittedTurn<State, Command, Event>;
}

export interface Answer<Command> {
  item: QueuedCommand<Command>;
  partition: number;
  error: unknown;
  reply: unknown;
}

export interface DeciderHooks<State, Command> {
  /** The aggregate is not in memory: fetch it, then queue its parked commands again. */
  load(partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>): void;
}

/** Looking at the clock costs about as much as a small turn. */
const TURNS_PER_CLOCK_LOOK = 16;

/** Decides queued commands until the queue is empty or a bound of the batch is reached. Synchronous: nothing interleaves. */
export function decideBatch<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  queue: CommandQueue<Command>,
  hooks: DeciderHooks<State, Command>,
): Batch<State, Command, Event> {
  const { limits } = core;
  const batch: Batch<State, Command, Event> = {
    offset: core.lastOffset + 1,
    sections: [],
    payloads: [],
    turns: [],
    answers: [],
    touched: [],
    damaged: [],
    events: 0,
    bytes: 0,
  };
  const began = performance.now();
  for (let turns = 1; batch.events < limits.batchMaxEvents && batch.bytes < limits.batchMaxBytes; turns++) {
    if (turns % TURNS_PER_CLOCK_LOOK === 0 && performance.now() - began > limits.batchMaxDecideMs) break;
    const item = queue.shift();
    if (item === undefined) break;
    route(core, batch, item, hooks);
  }
  return batch;
}

function route<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  batch: Batch<State, Command, Event>,
  item: QueuedCommand<Command>,
  hooks: DeciderHooks<State, Command>,
): void {
  const number = partitionBits(item.id) % core.partitionCount;
  const partition = core.partitions[number];
  if (partition === undefined || partition.status === "releasing") {
    batch.answers.push({ item, partition: number, error: partitionNotOwned(number), reply: undefined });
    return;
  }
  if (partition.status === "recovering") {
    partition.waiting.push(item);
    return;
  }
  let aggregate = partition.aggregates.get(item.id);
  if (aggregate === undefined) {
    if ("timer" in item) return;
    aggregate = createAggregate(item.id, idToBytes(item.id), isFresh(item, partition) ? "ready" : "loading");
    partition.aggregates.set(item.id, aggregate);
    if (aggregate.status === "loading") hooks.load(partition, aggregate);
  }
  if (aggregate.status === "loading") aggregate.parked.push(item);
  else if (aggregate.status === "quarantined") {
    const error = aggregateQuarantined(item.id, "its replay failed");
    batch.answers.push({ item, partition: number, error, reply: undefined });
  } else decideOne(core, batch, partition, aggregate, item);
}

function isFresh({ fresh, freshSince }: SubmitOptions, { recoveredOffset }: { recoveredOffset: number }): boolean {
  return fresh === true || (freshSince !== undefined && freshSince > recoveredOffset);
}

function decideOne<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  batch: Batch<State, Command, Event>,
  partition: Partition<State, Command>,
  aggregate: ResidentAggregate<State, Command>,
  item: QueuedCommand<Command>,
): void {
  const { aggregate: type } = core;
  const { id } = item;
  const now = core.now();
  touch(batch, aggregate);
  let command: Command;
  if ("timer" in item) {
    aggregate.timerQueued = false;
    const timer = aggregate.state === undefined ? undefined : type.nextTimer(aggregate.state);
    // The state moved on while the timer waited in the queue.
    if (timer === undefined || timer.dueAt > now) return;
    command = timer.command;
  } else command = item.command;

  let deciding = true;
  try {
    const { state, events, reply } = type.decide(aggregate.state, command, { id, now });
    deciding = false;
    if (events.length > 0) {
      const { records, payloads, bytes } = encode(core, aggregate, events);
      const seq = type.seq(state);
      if (seq !== aggregate.seq + events.length) {
        throw new Error(
          `decide moved ${id} from seq ${aggregate.seq} to ${seq} with ${events.length} events; each event must raise it by one`,
        );
      }
      const section = (batch.sections[partition.number] ??= {
        partition: partition.number,
        epoch: partition.epoch,
        previousOffset: partition.headOffset,
        records: [],
      });
      for (const record of records) section.records.push(record);
      for (const claim of payloads) batch.payloads.push(claim);
      batch.events += events.length;
      batch.bytes += bytes;
      aggregate.seq = seq;
      batch.turns.push({
        aggregate,
        records,
        turn: { id, partition: partition.number, state, command, events, reply, offset: batch.offset },
      });
    }
    aggregate.state = state;
    if ("timer" in item) aggregate.timerFailures = events.length === 0 ? aggregate.timerFailures + 1 : 0;
    batch.answers.push({ item, partition: partition.number, error: undefined, reply });
  } catch (error) {
    if ("timer" in item) aggregate.timerFailures++;
    batch.answers.push({ item, partition: partition.number, error, reply: undefined });
    if (deciding && error instanceof DomainError) return;
    // Its state may be half changed. What it decided before in this batch stands; the rest waits until it is rebuilt.
    aggregate.status = "loading";
    batch.damaged.push(aggregate);
    if (error instanceof DomainError) return;
    core.counters.defects++;
    core.logger.error(
      { err: error, id },
      "a command failed with a defect; its aggregate is rebuilt from what was committed",
    );
  }
}

function touch<State, Command, Event>(
  batch: Batch<State, Command, Event>,
  aggregate: ResidentAggregate<State, Command>,
): void {
  if (aggregate.inBatch) return;
  aggregate.inBatch = true;
  batch.touched.push(aggregate);
}

function encode<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  aggregate: ResidentAggregate<State, Command>,
  events: readonly Event[],
): { records: StoredRecord[]; payloads: PayloadClaim[]; bytes: number } {
  const { id, idBytes } = aggregate;
  const records: StoredRecord[] = [];
  const payloads: PayloadClaim[] = [];
  let size = 0;
  for (let i = 0; i < events.length; i++) {
    const seq = aggregate.seq + i + 1;
    const encoded = core.aggregate.encodeEvent(events[i] as Event, { id, seq });
    if (encoded instanceof Uint8Array) {
      records.push({ id, idBytes, seq, bytes: encoded, payloadDigests: NO_DIGESTS });
      size += encoded.length;
    } else {
      const claims = encoded.payloads ?? [];
      for (const claim of claims) {
        if (claim.bytes.length > core.limits.payloadMaxBytes) {
          throw payloadTooLarge(claim.name, claim.bytes.length, core.limits.payloadMaxBytes);
        }
        payloads.push(claim);
        size += claim.bytes.length;
      }
      const payloadDigests = claims.map((claim) => claim.digest);
      records.push({ id, idBytes, seq, bytes: encoded.bytes, payloadDigests });
      size += encoded.bytes.length;
    }
  }
  return { records, payloads, bytes: size };
}
