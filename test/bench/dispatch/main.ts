import { cpus } from "node:os";
import { createInMemoryTransport, createServer } from "@heddle/rpc";
import { createSchedulerService } from "@heddle/scheduler-service";
import { createLogger } from "@heddle/telemetry";
import { createFloorServer } from "./floor.ts";
import { openOwner, type OwnerResult } from "./owner.ts";
import { readSettings } from "./settings.ts";
import { startWorkerProcess, stopWorkerProcess } from "./worker-client.ts";

/*
 * Tasks per second through the scheduler, without a database: the owner in this process on the in-memory link, the
 * scheduler behind a real server, the worker in a process of its own. Beside it, in the same run and by turns, the floor:
 * the same messages over a stream with nothing behind it.
 *
 *     node test/bench/dispatch/main.ts [--tasks 200000] [--in-flight 2048] [--slots 1024] [--bytes 200] [--rounds 3] [--worker raw|sdk]
 */

const PRIORITIES = 10;
const WARM_UP_TASKS = 200_000;
/** Scheduled in one frame, so that all are there before the first delivery. */
const ORDER_TASKS = 10_000;

const settings = readSettings(process.argv.slice(2));
const { tasks, inFlight, slots, bytes, rounds } = settings;
console.log(`dispatch: ${JSON.stringify(settings)}, node ${process.version}, ${cpus().length} cores`);

const logger = createLogger({ name: "bench", level: "warn" });
let epoch = 0n;
const service = createSchedulerService({ logger, epoch: async () => (epoch += 1n), limits: { recoveryWindowMs: 0 } });
await service.start();
const server = createServer({ routes: (router) => service.routes(router), logger, validation: service.validation });
const link = createInMemoryTransport({
  routes: (router) => service.routes(router),
  logger,
  validation: service.validation,
});
const floor = createFloorServer();
const floorServer = createServer({ routes: floor.routes, logger, validation: service.validation });

const worker = await startWorkerProcess((await server.listen()).url, slots, settings.worker);
const floorWorker = await startWorkerProcess((await floorServer.listen()).url, slots, "raw");
const owner = openOwner(link);
try {
  const byIndex = (index: number) => index % PRIORITIES;
  // Both get the same time with the compiler.
  await owner.run({ count: WARM_UP_TASKS, inFlight, bytes, priorityOf: () => 5 });
  await floor.run({ count: WARM_UP_TASKS, inFlight: slots, frameSize: 512, bytes });
  checkPriorities(await owner.run({ count: ORDER_TASKS, inFlight: ORDER_TASKS, bytes, priorityOf: byIndex }), byIndex);

  const rates: number[] = [];
  const floors: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const before = process.cpuUsage();
    const result = await owner.run({ count: tasks, inFlight, bytes, priorityOf: () => 5 });
    const cpu = microsecondsPerTask(before);
    if (settings.worker === "raw") checkFirstInFirstOut(result);
    const frameSize = Math.max(1, Math.round(tasks / result.frames));
    const floorBefore = process.cpuUsage();
    const bare = await floor.run({ count: tasks, inFlight: slots, frameSize, bytes });
    const floorCpu = microsecondsPerTask(floorBefore);
    rates.push((tasks / result.elapsedMs) * 1000);
    floors.push((tasks / bare.elapsedMs) * 1000);
    console.log(
      `round ${round}: ${perSecond(rates.at(-1))}, floor ${perSecond(floors.at(-1))}, ` +
        `CPU per task in this process ${cpu} µs, floor ${floorCpu} µs, frames of ${frameSize} (floor ${Math.round(tasks / bare.frames)})`,
    );
  }
  console.log(
    `dispatch ${perSecond(median(rates))}, floor ${perSecond(median(floors))}, ratio ${(median(rates) / median(floors)).toFixed(2)}`,
  );
  console.log("verified: every task ended exactly once with its own output; order kept by priority and within it");
} finally {
  owner.close();
  await Promise.all([stopWorkerProcess(worker), stopWorkerProcess(floorWorker)]);
  await service.stop();
  link.close();
  await Promise.all([server.close({ drainMs: 500 }), floorServer.close({ drainMs: 500 })]);
}

/** All were waiting when the first was delivered: priorities come strictly one after the other, each in its own order. */
function checkPriorities({ order }: OwnerResult, priorityOf: (index: number) => number): void {
  if (settings.worker !== "raw") return;
  const expected = Array.from(order.keys()).sort((a, b) => priorityOf(a) - priorityOf(b) || a - b);
  const wrong = expected.findIndex((index, place) => order[place] !== index);
  if (wrong >= 0)
    throw new Error(`place ${wrong} of the priority run went to task ${order[wrong]}, not ${expected[wrong]}`);
}

/** One worker and one priority: results come in the order in which the tasks were scheduled. */
function checkFirstInFirstOut({ order }: OwnerResult): void {
  const wrong = order.findIndex((index, place) => index !== place);
  if (wrong >= 0)
    throw new Error(`place ${wrong} went to task ${order[wrong]}: tasks of one priority overtook each other`);
}

/** Tells more than the rate when something else runs on the machine. */
function microsecondsPerTask(before: NodeJS.CpuUsage): string {
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / tasks).toFixed(2);
}

function perSecond(rate: number | undefined): string {
  return `${Math.round(rate ?? 0).toLocaleString("en")}/s`;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
