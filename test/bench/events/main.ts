import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findKafkaRemedy, startKafkaBroker } from "@heddle/broker";
import { createKafkaBus, createRawEventMessage, type EventBus } from "@heddle/events";
import { endProcess, median } from "../support/processes.ts";
import type { FloorCommand } from "./floor-process.ts";
import { keyOf, type Load, measure, type Measured, valueOf } from "./load.ts";

/*
 * Events per second through the bus over Kafka, and CPU per event: published as the journal's publisher does it, one
 * batch after the other, and read by one member. By turns with the floor: kafkajs by itself.
 *
 *     node test/bench/events/main.ts [--events 100000] [--batch 1000] [--bytes 150] [--rounds 3] [--partitions 12]
 */
const { values } = parseArgs({
  options: {
    events: { type: "string", default: "100000" },
    batch: { type: "string", default: "1000" },
    bytes: { type: "string", default: "150" },
    rounds: { type: "string", default: "3" },
    partitions: { type: "string", default: "12" },
  },
});
const load: Load = { events: Number(values.events), batch: Number(values.batch), bytes: Number(values.bytes) };
const rounds = Number(values.rounds);
const partitions = Number(values.partitions);

const remedy = findKafkaRemedy();
if (remedy === undefined) await main();
else console.log(`skipped: ${remedy}`);

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "heddle-bench-events-"));
  const broker = await startKafkaBroker({ dir, onProgress: console.log });
  const floor = fork(fileURLToPath(new URL("floor-process.ts", import.meta.url)));
  try {
    await run([broker.address], floor);
  } finally {
    await endProcess(floor);
    await broker.purge();
    await rm(dir, { recursive: true, force: true });
  }
}

async function run(brokers: string[], floor: ChildProcess): Promise<void> {
  console.log(`events: ${JSON.stringify({ ...load, rounds, partitions })}`);
  console.log(`node ${process.version}, ${cpus().length} cores`);
  const topics = Array.from({ length: rounds + 1 }, (_, round) => ({ bus: `bus-${round}`, floor: `floor-${round}` }));
  const bus = createKafkaBus({
    brokers,
    clientId: "bench",
    topics: topics
      .flatMap((pair) => Object.values(pair))
      .map((name) => ({ name, partitions, replicationFactor: 1, retentionMs: -1 })),
  });
  const results: Record<string, Measured[]> = {};
  // Round 0 warms up: topics, groups, compiled code.
  for (const [round, topic] of topics.entries()) {
    // The floor's topic is made by the bus as well.
    await bus.publish(Object.values(topic).map((name) => createEvent(name, 0, valueOf(load))));
    const ask = async (kind: FloorCommand["kind"]): Promise<Measured> => {
      const answer = once(floor, "message") as Promise<[Measured]>;
      floor.send({ kind, brokers, topic: topic.floor, load } satisfies FloorCommand);
      return (await answer)[0];
    };
    const pairs: [string, () => Promise<Measured>, () => Promise<Measured>][] = [
      ["publish", () => ask("publish"), () => measure(load, () => publishAll(bus, topic.bus))],
      ["consume", () => ask("consume"), () => measure(load, () => consumeAll(bus, topic.bus))],
    ];
    for (const [what, runFloor, runBus] of pairs) {
      // Each goes first half of the time.
      const first = round % 2 === 0 ? await runFloor() : await runBus();
      const second = round % 2 === 0 ? await runBus() : await runFloor();
      if (round === 0) continue;
      const [ofFloor, ofBus] = round % 2 === 0 ? [first, second] : [second, first];
      (results[`floor, ${what}`] ??= []).push(ofFloor);
      (results[`bus, ${what}`] ??= []).push(ofBus);
    }
  }
  await bus.close();
  for (const [name, measured] of Object.entries(results)) report(name, measured);
  for (const what of ["publish", "consume"]) {
    const rate = ratio(results[`bus, ${what}`], results[`floor, ${what}`], ({ eventsPerSecond }) => eventsPerSecond);
    const cpu = ratio(
      results[`bus, ${what}`],
      results[`floor, ${what}`],
      ({ clientMicroseconds }) => clientMicroseconds,
    );
    console.log(`bus/floor, ${what}: ${rate} of the events per second, ${cpu} of the CPU`);
  }
}

/** Messages are made one batch at a time, as from the rows of a journal. */
async function publishAll(bus: EventBus, topic: string): Promise<void> {
  const value = valueOf(load);
  for (let next = 0; next < load.events; next += load.batch) {
    const length = Math.min(load.batch, load.events - next);
    await bus.publish(Array.from({ length }, (_, index) => createEvent(topic, next + index, value)));
  }
}

function createEvent(topic: string, number: number, value: Uint8Array) {
  const key = keyOf(number);
  return createRawEventMessage(topic, value, {
    id: `${key}/${number}`,
    source: "/heddle/execution",
    key,
    position: { partition: number % 64, offset: number >> 3, index: number & 7 },
  });
}

async function consumeAll(bus: EventBus, topic: string): Promise<void> {
  const done = Promise.withResolvers<void>();
  let left = load.events;
  const subscription = bus.subscribe({
    group: `bus-${topic}`,
    topics: [topic],
    handler: async (messages) => {
      left -= messages.length;
      if (left <= 0) done.resolve();
    },
    parkPoison: async () => {},
  });
  await done.promise;
  await subscription.close();
}

function report(name: string, measured: readonly Measured[]): void {
  const rates = measured.map(({ eventsPerSecond }) => Math.round(eventsPerSecond));
  const cpu = measured.map(({ clientMicroseconds }) => clientMicroseconds.toFixed(1));
  console.log(`${name}: ${rates.join(" / ")} events/s, ${cpu.join(" / ")} µs of CPU per event`);
}

function ratio(ours: Measured[] = [], floor: Measured[] = [], of: (measured: Measured) => number): string {
  return (median(ours.map(of)) / median(floor.map(of))).toFixed(2);
}
