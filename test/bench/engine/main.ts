import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { makeChain, makeFanOut, makePureChain } from "./cases.ts";
import { measureCase } from "./measure.ts";
import { measureMemory } from "./memory.ts";

// How fast is the DAG core alone, on one core, and does its memory stay flat?
// A transition is one event that `decide` gave and `evolve` applied; a turn's obligations are taken as a service would.

const FLOOR_TRANSITIONS_PER_SECOND = 150_000;
const MAX_HEAP_GROWTH_MB = 4;
const IN_FLIGHT = 256;

const { values } = parseArgs({
  options: {
    // Of each case, after a warm-up.
    seconds: { type: "string", default: "1" },
    // Millions of events of the memory run.
    millions: { type: "string", default: "1" },
  },
});
const seconds = Number(values.seconds);
const millions = Number(values.millions);
if (!(seconds > 0) || !(millions > 0))
  throw new Error("--seconds and --millions are positive numbers, such as --seconds=2 --millions=10");

console.log(
  `settings: seconds=${seconds} millions=${millions} in_flight=${IN_FLIGHT} node=${process.version} cores=${availableParallelism()}`,
);

let failed = false;
for (const bench of [makeChain(10), makeFanOut(100), makePureChain(100)]) {
  const figures = measureCase(bench, seconds * 1_000);
  const { transitionsPerSecond, floorPerSecond, replayedPerSecond } = figures;
  const ratio = transitionsPerSecond / floorPerSecond;
  console.log(
    `${figures.name}: ${format(transitionsPerSecond)} transitions/s over ${format(figures.events)} events; ` +
      `replay ${format(replayedPerSecond)} events/s; bare objects ${format(floorPerSecond)}/s, ratio ${ratio.toFixed(3)}`,
  );
  failed ||= reportIf(
    transitionsPerSecond < FLOOR_TRANSITIONS_PER_SECOND,
    `${figures.name} is below ${format(FLOOR_TRANSITIONS_PER_SECOND)}/s`,
  );
}

const samples = measureMemory(makeChain(10), millions * 1e6, IN_FLIGHT);
const heap = samples.map(({ heapMb }) => heapMb);
// The first sample is after a tenth of the run, when everything that is kept is there.
const growthMb = Math.max(...heap) - (heap[0] as number);
console.log(
  `heap after each tenth of ${format(samples.at(-1)?.events ?? 0)} events: ${heap.map((mb) => mb.toFixed(1)).join(" ")} MB`,
);
failed = reportIf(growthMb > MAX_HEAP_GROWTH_MB, `the heap grew by ${growthMb.toFixed(1)} MB`) || failed;

console.log(failed ? "FAILED" : "ok: all executions completed with the expected events, output and replayed state");
process.exitCode = failed ? 1 : 0;

function reportIf(holds: boolean, fault: string): boolean {
  if (holds) console.log(`FAILED: ${fault}`);
  return holds;
}

function format(value: number): string {
  return Math.round(value).toLocaleString("en");
}
