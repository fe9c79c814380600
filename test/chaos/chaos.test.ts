import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findKafkaRemedy } from "@heddle/broker";
import { beforeAll, describe, expect, it } from "vitest";
import { FAULT_KINDS } from "./faults/fault.ts";
import { printOutcome } from "./report.ts";
import { runChaos } from "./run-chaos.ts";
import { runKafkaOutage } from "./runs/kafka-outage.ts";
import type { RunOptions } from "./runs/named-run.ts";
import { runPostgresOutages } from "./runs/postgres-outages.ts";
import { runRecovery } from "./runs/recovery.ts";
import type { Outcome } from "./scenario.ts";

/** What went wrong once is tried again for ever; what nobody thought of is found by the other one. */
const FIXED_SEED = 20_260;
const RANDOM_SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Small ones of what `make chaos` and `make chaos-…` run at full size. None asserts how fast this machine is. */
const RUNS: Readonly<Record<string, (options: Omit<RunOptions, "seed">) => Promise<Outcome>>> = {
  "random programs, fixed seed": (options) => runSmall(FIXED_SEED, options),
  "random programs, random seed": (options) => runSmall(RANDOM_SEED, options),
  "Postgres that stops again and again": (options) =>
    runPostgresOutages({ ...options, seed: RANDOM_SEED, executions: 500, windowMs: 15_000 }),
  "Kafka that is away": (options) =>
    runKafkaOutage({ ...options, seed: RANDOM_SEED, executions: 300, outageMs: 8_000 }),
  "the only execution replica is killed": (options) =>
    runRecovery({ ...options, seed: RANDOM_SEED, replicas: 1, inFlight: 30, halfMs: 4_000 }),
  "one of two execution replicas is killed": (options) =>
    runRecovery({ ...options, seed: RANDOM_SEED, replicas: 2, inFlight: 30, halfMs: 4_000 }),
};

const remedy = findKafkaRemedy();

describe(`chaos (SEED=${RANDOM_SEED})`, () => {
  for (const [name, run] of Object.entries(RUNS)) {
    describe(name, () => {
      let outcome: Outcome;

      beforeAll(async () => {
        if (remedy !== undefined) return;
        const folder = await mkdtemp(join(tmpdir(), "heddle-chaos-"));
        outcome = await run({ folder, log: () => undefined });
        const isFine = printOutcome(outcome, {
          seed: RANDOM_SEED,
          folder,
          again: `SEED=${RANDOM_SEED} make test ONLY=test/chaos`,
        });
        if (isFine) await rm(folder, { recursive: true, force: true });
      }, 400_000);

      it("keeps every promise, and leaves nothing stuck", (context) => {
        if (remedy !== undefined) context.skip(remedy);
        expect(outcome.results.flatMap(({ id, violations }) => violations.map((each) => `${id}: ${each}`))).toEqual([]);
        // A run in which nothing happened proves nothing.
        const notes = outcome.faults.filter(({ note }) => note.startsWith("failed"));
        expect(notes).toEqual([]);
        expect(outcome.record.acknowledged.length).toBeGreaterThan(0);
      });
    });
  }
});

function runSmall(seed: number, options: Omit<RunOptions, "seed">): Promise<Outcome> {
  return runChaos({ ...options, seed, executions: 100, faults: 9, windowMs: 30_000, kinds: FAULT_KINDS });
}
