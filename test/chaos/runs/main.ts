import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { printOutcome } from "../report.ts";
import { runKafkaOutage } from "./kafka-outage.ts";
import type { RunOptions, RunOutcome } from "./named-run.ts";
import { runPostgresOutages } from "./postgres-outages.ts";
import { runRecovery } from "./recovery.ts";

/*
 * One kind of fault at full size, with bounds of its own:
 *
 *     node test/chaos/runs/main.ts postgres|kafka|recovery [--seed N]
 */
const RUNS: Readonly<Record<string, readonly ((options: RunOptions) => Promise<RunOutcome>)[]>> = {
  postgres: [(options) => runPostgresOutages({ ...options, executions: 5_000, windowMs: 90_000 })],
  kafka: [(options) => runKafkaOutage({ ...options, executions: 4_000, outageMs: 60_000, marginMs: 20_000 })],
  recovery: [
    (options) => runRecovery({ ...options, replicas: 1, inFlight: 200, halfMs: 10_000 }),
    (options) => runRecovery({ ...options, replicas: 2, inFlight: 200, halfMs: 10_000 }),
  ],
};

const { values, positionals } = parseArgs({
  options: { seed: { type: "string", default: String(Date.now() % 1_000_000) } },
  allowPositionals: true,
});
const name = positionals[0] ?? "";
const runs = RUNS[name];
if (runs === undefined) throw new Error(`no run is named "${name}"; there are: ${Object.keys(RUNS).join(", ")}`);
const seed = Number(values.seed);

for (const run of runs) {
  const folder = await mkdtemp(join(tmpdir(), `heddle-chaos-${name}-`));
  const again = `make chaos-${name} SEED=${seed}`;
  console.log(`${again}\nlogs and records: ${folder}`);
  const begunAt = performance.now();
  const log = (line: string): void =>
    console.log(`${((performance.now() - begunAt) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  const outcome = await run({ seed, folder, log });
  if (!printOutcome(outcome, { seed, folder, again })) process.exitCode = 1;
}
