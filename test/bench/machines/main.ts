import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { cpuSeconds, median, treeCpuSeconds } from "../support/processes.ts";
import { startBenchService } from "./service.ts";
import { createMemorySwitch, type MemorySwitch, SWITCH } from "./switch-chart.ts";

/*
 * Events per second of machines: each is one macrostep (guard, transition, assignment), answered once it is durable, over
 * many machines and at one hot machine. By turns with the same chart and the same events in XState, which keeps nothing.
 * Calls come over the in-memory transport, through the same checks as those from outside. Checks every machine's end.
 *
 *     node test/bench/machines/main.ts [--machines 10000] [--events 100000] [--hot-events 20000] [--in-flight 512] [--rounds 3]
 */
const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "10000" },
    events: { type: "string", default: "100000" },
    "hot-events": { type: "string", default: "20000" },
    "in-flight": { type: "string", default: "512" },
    rounds: { type: "string", default: "3" },
  },
});
const machines = Number(values.machines);
const events = Number(values.events);
const hotEvents = Number(values["hot-events"]);
const inFlight = Number(values["in-flight"]);
const rounds = Number(values.rounds);
if (events % machines !== 0) throw new Error("--events must be a multiple of --machines");

const BY_ONE = fromJson(ValueSchema, { by: 1 });

const service = await startBenchService(SWITCH);
const { client } = service;
try {
  await main();
} finally {
  await service.stop();
}

async function main(): Promise<void> {
  console.log(`machines: ${JSON.stringify({ machines, events, hotEvents, inFlight, rounds })}`);
  console.log(`node ${process.version}, ${cpus().length} cores, postgres ${JSON.stringify(service.settings)}`);
  const ids = Array.from({ length: machines }, () => "");
  const created = await measure(machines, () => inParallel(machines, async (n) => void (ids[n] = await create())));
  const hot = await create();
  console.log(
    `created: ${format(created.perSecond)} machines/s; heap ${toMiB(process.memoryUsage().heapUsed)} MiB with ${machines} of them`,
  );

  const memory = Array.from({ length: machines }, createMemorySwitch);
  const hotMemory = createMemorySwitch();
  const cases = [
    { name: `${machines} machines`, count: events, ids, memory },
    { name: "one hot machine", count: hotEvents, ids: [hot], memory: [hotMemory] },
  ];
  for (const { name, count, ids: targets, memory: switches } of cases) {
    const durable: Measured[] = [];
    const floor: Measured[] = [];
    // Round 0 warms up: plans, page cache, compiled code.
    for (let round = 0; round <= rounds; round++) {
      const [ours, theirs] = [
        await measure(count, () => inParallel(count, (n) => flip(targets[n % targets.length] as string))),
        await measure(count, () => flipAll(switches, count)),
      ];
      if (round === 0) continue;
      durable.push(ours);
      floor.push(theirs);
    }
    report(name, durable, floor);
  }
  const perMachine = (events / machines) * (rounds + 1);
  await inParallel(machines, (n) => check(ids[n] as string, perMachine, memory[n] as MemorySwitch));
  await check(hot, hotEvents * (rounds + 1), hotMemory);
  console.log(
    `ok: all ${machines + 1} machines stand where they should, as those of XState do, with every event counted`,
  );
}

async function create(): Promise<string> {
  const { machine } = await client.createMachine({ workflowId: "switch" });
  if (machine === undefined) throw new Error("no machine was created");
  return machine.machineId;
}

async function flip(machineId: string): Promise<void> {
  const { handled } = await client.sendEvent({ machineId, event: "flip", data: BY_ONE });
  if (!handled) throw new Error(`${machineId} has not taken its event`);
}

/** With rests: a process that does not answer for a second loses its session with the database. */
async function flipAll(switches: readonly MemorySwitch[], count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    (switches[n % switches.length] as MemorySwitch).flip();
    if (n % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Two events of a history for each flip, and the two of the creation. */
async function check(machineId: string, flips: number, memory: MemorySwitch): Promise<void> {
  const { machine } = await client.getMachine({ machineId });
  const found = {
    state: machine?.configuration.join(),
    total: machine?.context?.["total"],
    seq: Number(machine?.lastSeq),
  };
  const expected = { ...memory.read(), seq: 2 + 2 * flips };
  if (
    machine?.status !== MachineStatus.ACTIVE ||
    JSON.stringify(found) !== JSON.stringify(expected) ||
    expected.total !== flips
  ) {
    throw new Error(`${machineId} is ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
  }
}

interface Measured {
  perSecond: number;
  nodeMicroseconds: number;
  postgresMicroseconds: number;
}

async function measure(count: number, run: () => Promise<void>): Promise<Measured> {
  const postgresBefore = treeCpuSeconds(service.postgresPid);
  const nodeBefore = cpuSeconds(process.pid);
  const began = performance.now();
  await run();
  const seconds = (performance.now() - began) / 1_000;
  return {
    perSecond: count / seconds,
    nodeMicroseconds: ((cpuSeconds(process.pid) - nodeBefore) * 1e6) / count,
    postgresMicroseconds: ((treeCpuSeconds(service.postgresPid) - postgresBefore) * 1e6) / count,
  };
}

async function inParallel(count: number, run: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

function report(name: string, durable: readonly Measured[], floor: readonly Measured[]): void {
  const rate = median(durable.map(({ perSecond }) => perSecond));
  const floorRate = median(floor.map(({ perSecond }) => perSecond));
  const node = median(durable.map(({ nodeMicroseconds }) => nodeMicroseconds));
  const postgres = median(durable.map(({ postgresMicroseconds }) => postgresMicroseconds));
  console.log(
    `${name}: median ${format(rate)} events/s (${durable.map(({ perSecond }) => format(perSecond)).join(" ")}), ` +
      `Node CPU ${node.toFixed(0)} µs/event, Postgres CPU ${postgres.toFixed(0)} µs/event`,
  );
  console.log(
    `${name}: XState in memory ${format(floorRate)} events/s (${floor.map(({ perSecond }) => format(perSecond)).join(" ")}); ` +
      `ratio heddle/XState ${(rate / floorRate).toFixed(4)}`,
  );
}

function format(figure: number): string {
  return Math.round(figure).toLocaleString("en-US");
}

function toMiB(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
