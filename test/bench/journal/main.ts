import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createJournalRuntime, type JournalRuntime, journalMigrations } from "@heddle/journal";
import { openDatabase, startEmbeddedPostgres } from "@heddle/store";
import { cpuSeconds, median, treeCpuSeconds } from "../support/processes.ts";
import { type Counter, createCounterType, type Increment, noProjection } from "./counter.ts";
import { runFloor } from "./floor.ts";

/*
 * Events per second of the journal alone, in flushes of 100 events over all partitions, with fsync on. By turns with the
 * floor: a bare loop of multi-row INSERTs of the same bytes. Reads everything back afterwards.
 *
 *     node test/bench/journal/main.ts [--events 100000] [--batch 100] [--bytes 100] [--rounds 5] [--partitions 64]
 */
const { values } = parseArgs({
  options: {
    events: { type: "string", default: "100000" },
    batch: { type: "string", default: "100" },
    bytes: { type: "string", default: "100" },
    rounds: { type: "string", default: "5" },
    partitions: { type: "string", default: "64" },
  },
});
const eventsPerRound = Number(values.events);
const batchEvents = Number(values.batch);
const event = new Uint8Array(Number(values.bytes)).fill(7);
const rounds = Number(values.rounds);
const partitions = Number(values.partitions);
const AGGREGATES = 1_024;
const TARGET_EVENTS_PER_SECOND = 100_000;
const TARGET_CPU_MICROSECONDS = 3;

const dataDir = await mkdtemp(join(tmpdir(), "heddle-bench-journal-"));
const postgres = await startEmbeddedPostgres({ dataDir });
const database = openDatabase({ url: postgres.url, schema: "bench" });
try {
  await main();
} finally {
  await database.close();
  await postgres.stop();
  for (const path of [postgres.dataPath, dataDir]) await rm(path, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const server = await database.query<{ version: string; fsync: string; commit: string }>({
    text: `select current_setting('server_version') as version, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commit`,
  });
  const settings = { eventsPerRound, batchEvents, bytes: event.length, rounds, partitions, aggregates: AGGREGATES };
  console.log(`journal: ${JSON.stringify(settings)}`);
  console.log(`node ${process.version}, ${cpus().length} cores, postgres ${JSON.stringify(server.rows[0])}`);

  await database.migrate(journalMigrations(partitions));
  await database.query({ text: "create table floor (id bytea not null, seq bigint not null, event bytea not null)" });
  const runtime = createJournalRuntime<Counter, Increment, Uint8Array>({
    database,
    owner: "bench",
    aggregate: createCounterType(event),
    projection: noProjection,
    partitions,
    limits: { batchMaxEvents: batchEvents, batchMaxDecideMs: 1_000, projectionIntervalMs: 3_600_000 },
  });
  await runtime.start();
  const connection = await database.connect();
  const ids = Array.from({ length: AGGREGATES }, () => runtime.newId());

  const journal: Measured[] = [];
  const floor: Measured[] = [];
  const batches = Math.ceil(eventsPerRound / batchEvents);
  // Round 0 warms up: plans, page cache, compiled code.
  for (let round = 0; round <= rounds; round++) {
    const runs = [
      async () =>
        void (round > 0 && floor.push(await measure(() => runFloor(connection, batches, batchEvents, event)))),
      async () => void (round > 0 && journal.push(await measure(() => runJournal(runtime, ids)))),
    ];
    if (round === 0) {
      await runFloor(connection, Math.ceil(batches / 4), batchEvents, event);
      await runJournal(runtime, ids);
    }
    // Each goes first half of the time: neither always gets the other's checkpoint.
    for (const run of round % 2 === 0 ? runs : runs.reverse()) await run();
  }
  await connection.end();

  const expected = eventsPerRound * (rounds + 1);
  await verify(runtime, ids, expected);
  const { flushes } = runtime.metrics();
  await runtime.stop();

  const rate = median(journal.map((run) => run.eventsPerSecond));
  const floorRate = median(floor.map((run) => run.eventsPerSecond));
  const cpu = median(journal.map((run) => run.postgresMicroseconds));
  report(
    "floor, events/s",
    floor.map((run) => run.eventsPerSecond),
  );
  report(
    "journal, events/s",
    journal.map((run) => run.eventsPerSecond),
  );
  report(
    "floor, Postgres CPU µs/event",
    floor.map((run) => run.postgresMicroseconds),
    2,
  );
  report(
    "journal, Postgres CPU µs/event",
    journal.map((run) => run.postgresMicroseconds),
    2,
  );
  report(
    "journal, Node CPU µs/event",
    journal.map((run) => run.nodeMicroseconds),
    2,
  );
  console.log(`events per flush: ${(expected / flushes).toFixed(1)}`);
  console.log(`ratio journal/floor: ${(rate / floorRate).toFixed(2)}`);
  console.log(`target ≥ ${TARGET_EVENTS_PER_SECOND} events/s: ${rate >= TARGET_EVENTS_PER_SECOND ? "met" : "MISSED"}`);
  console.log(
    `target ≤ ${TARGET_CPU_MICROSECONDS} µs of Postgres CPU per event: ${cpu <= TARGET_CPU_MICROSECONDS ? "met" : "MISSED"}`,
  );
}

interface Measured {
  eventsPerSecond: number;
  postgresMicroseconds: number;
  nodeMicroseconds: number;
}

async function measure(run: () => Promise<void>): Promise<Measured> {
  const postgresBefore = treeCpuSeconds(postgres.pid);
  const nodeBefore = cpuSeconds(process.pid);
  const began = performance.now();
  await run();
  const seconds = (performance.now() - began) / 1_000;
  return {
    eventsPerSecond: eventsPerRound / seconds,
    postgresMicroseconds: ((treeCpuSeconds(postgres.pid) - postgresBefore) * 1e6) / eventsPerRound,
    nodeMicroseconds: ((cpuSeconds(process.pid) - nodeBefore) * 1e6) / eventsPerRound,
  };
}

/** Keeps the queue full: each answered command submits the next of its aggregate. */
function runJournal(runtime: JournalRuntime<Counter, Increment>, ids: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = eventsPerRound;
    let submitted = 0;
    const submit = (id: string): void => {
      submitted++;
      runtime.submitAll([
        {
          id,
          command: "increment",
          onDone(error) {
            if (error !== undefined) reject(error instanceof Error ? error : new Error("refused", { cause: error }));
            else if (--left === 0) resolve();
            else if (submitted < eventsPerRound) submit(id);
          },
        },
      ]);
    };
    for (const id of ids) submit(id);
  });
}

/** Every partition's chain of entries without a gap, seqs gapless and in order per aggregate, and the right number of events. */
async function verify(
  runtime: JournalRuntime<Counter, Increment>,
  ids: readonly string[],
  expected: number,
): Promise<void> {
  const seqs = new Map(ids.map((id) => [id, 0]));
  const last = new Map<number, number>();
  let events = 0;
  for (let after = 0, isFull = true; isFull; ) {
    const page = await runtime.readJournal(runtime.ownedPartitions(), after, 500);
    for (const { partition, offset, previousOffset, records } of page.entries) {
      if (previousOffset !== (last.get(partition) ?? 0))
        throw new Error(`partition ${partition}: a gap before ${offset}`);
      last.set(partition, offset);
      for (const { id, seq, bytes } of records) {
        if (seq !== (seqs.get(id) ?? Number.NaN) + 1) throw new Error(`${id}: seq ${seq} after ${seqs.get(id)}`);
        if (bytes.length !== event.length) throw new Error(`${id}: event ${seq} has ${bytes.length} bytes`);
        seqs.set(id, seq);
        events++;
      }
    }
    after = page.readOffset;
    ({ isFull } = page);
  }
  if (events !== expected) throw new Error(`${events} events were read back, ${expected} were acknowledged`);
  console.log(`verified: ${events} events read back, gapless and in order`);
}

function report(what: string, figures: readonly number[], digits = 0): void {
  const text = figures.map((figure) => figure.toFixed(digits)).join(" ");
  console.log(`${what}: median ${median(figures).toFixed(digits)} (${text})`);
}
