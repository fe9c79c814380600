import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FAULT_KINDS, type FaultKind } from "./faults/fault.ts";
import { printOutcome } from "./report.ts";
import { runChaos } from "./run-chaos.ts";

/*
 * One run of chaos, whose load and faults the seed decides:
 *
 *     node test/chaos/main.ts [--seed N] [--minutes 4] [--executions 2000] [--faults 32 | --faults kill-service,cut-database]
 */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    minutes: { type: "string", default: "4" },
    executions: { type: "string", default: "2000" },
    faults: { type: "string", default: "32" },
  },
});
const seed = Number(values.seed);
const { count, kinds } = readFaults(values.faults);
const folder = await mkdtemp(join(tmpdir(), `heddle-chaos-${seed}-`));
const again = `make chaos SEED=${seed} MINUTES=${values.minutes} EXECUTIONS=${values.executions} FAULTS=${values.faults}`;
console.log(`${again}\nlogs and records: ${folder}`);

const begunAt = performance.now();
const outcome = await runChaos({
  seed,
  executions: Number(values.executions),
  faults: count,
  windowMs: Number(values.minutes) * 60_000,
  kinds,
  folder,
  log: (line) => console.log(`${((performance.now() - begunAt) / 1_000).toFixed(1).padStart(7)} s  ${line}`),
});

if (!printOutcome(outcome, { seed, folder, again })) process.exitCode = 1;

/** A number of faults of all kinds, or the kinds to choose from, of which there are 30 then. */
function readFaults(text: string): { count: number; kinds: readonly FaultKind[] } {
  if (/^\d+$/.test(text)) return { count: Number(text), kinds: FAULT_KINDS };
  const kinds = text.split(",").map((name) => {
    const kind = FAULT_KINDS.find((each) => each === name.trim());
    if (kind === undefined) throw new Error(`no fault is named ${name}; there are: ${FAULT_KINDS.join(", ")}`);
    return kind;
  });
  return { count: 30, kinds };
}
