import { join } from "node:path";
import type { Fault } from "../faults/fault.ts";
import { runScenario } from "../scenario.ts";
import { drive } from "../workload/drive.ts";
import { createRandom, type Random } from "../workload/random.ts";
import type { RunOptions, RunOutcome } from "./named-run.ts";
import { chainProgram, plainPlans } from "./plain-plans.ts";

export interface PostgresOutagesOptions extends RunOptions {
  executions: number;
  /** Starts are spread over this time, and Postgres stops every 5 to 10 s of it. */
  windowMs: number;
}

/** Two-step workflows while Postgres is stopped, as hard as it can be, every 5 to 10 s for up to 2 s. */
export async function runPostgresOutages(options: PostgresOutagesOptions): Promise<RunOutcome> {
  const { seed, folder, executions, windowMs, log } = options;
  const program = chainProgram("two-steps", 2);
  const plans = plainPlans(program, executions, `postgres-${seed}`);
  const outcome = await runScenario({
    folder,
    executionReplicas: 2,
    schedulerReplicas: 1,
    workers: 2,
    slots: 50,
    programs: [program],
    plans,
    schedule: () => planOutages(createRandom(seed), windowMs),
    load: ({ address }) => drive({ address, plans, windowMs, journal: join(folder, "records", "acknowledged.ndjson") }),
    log,
  });
  return { ...outcome, measurements: [] };
}

function planOutages(random: Random, windowMs: number): Fault[] {
  const schedule: Fault[] = [];
  for (let atMs = random.between(2_000, 4_000); atMs < windowMs; atMs += random.between(5_000, 10_000)) {
    schedule.push({ atMs, kind: "crash-postgres", target: "", durationMs: random.between(0, 2_000), amount: 0 });
  }
  return schedule;
}
