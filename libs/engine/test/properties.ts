import { inspect, parseArgs } from "node:util";
import { checkRun, sizeOfRun } from "./support/check-run.ts";

// Random definitions with random histories, as many as one likes: `make properties RUNS=100000 SEED=1`.

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  print("usage: make properties [RUNS=<whole number from 1>] [SEED=<whole number>]");
  process.exit(2);
}

print(`SEED=${seed} RUNS=${runs} repeats these runs`);
const began = performance.now();
const ends: Record<string, number> = {};
let faults = 0;
for (let run = 0; run < runs && faults < 3; run++) {
  const size = sizeOfRun(run);
  try {
    const end = checkRun(seed + run, size);
    ends[end] = (ends[end] ?? 0) + 1;
  } catch (error) {
    faults += 1;
    print(`seed ${seed + run}, size ${size}: ${inspect(error)}`);
  }
  if ((run + 1) % 10_000 === 0) print(`${run + 1} runs in ${((performance.now() - began) / 1_000).toFixed(0)} s`);
}
const ended = Object.values(ends).reduce((total, count) => total + count, 0);
print(`${ended} executions kept all properties: ${JSON.stringify(ends)}`);
process.exitCode = faults === 0 ? 0 : 1;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
