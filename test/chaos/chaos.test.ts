import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findKafkaRemedy } from "@heddle/broker";
import { describe, expect, it } from "vitest";
import { FAULT_KINDS } from "./faults/fault.ts";
import { printOutcome } from "./report.ts";
import { runChaos } from "./run-chaos.ts";
import { runKafkaOutage } from "./runs/kafka-outage.ts";
import type { RunOptions } from "./runs/named-run.ts";
import { runPostgresOutages } from "./runs/postgres-outages.ts";
import { runRecovery } from "./runs/recovery.ts";
import type { Outcome } from "./scenario.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Small ones of what `make chaos` and `make chaos-…` run at full size. None asserts how fast this machine is. */
const RUNS: Readonly<Record<string, (options: RunOptions) => Promise<Outcome>>> = {
  "random programs under every kind of fault": (options) =>
    runChaos({ ...options, executions: 120, faults: FAULT_KINDS.length, windowMs: 40_000, kinds: FAULT_KINDS }),
  "Postgres that stops again and again": (options) =>
    runPostgresOutages({ ...options, executions: 500, windowMs: 15_000 }),
  "Kafka that is away": (options) => runKafkaOutage({ ...options, executions: 300, outageMs: 8_000, marginMs: 5_000 }),
  "the only execution replica is killed": (options) =>
    runRecovery({ ...options, replicas: 1, inFlight: 30, halfMs: 4_000 }),
  "one of two execution replicas is killed": (options) =>
    runRecovery({ ...options, replicas: 2, inFlight: 30, halfMs: 4_000 }),
};

/** Three times what the longest takes: a run that finds something stuck waits for it, and must still tell. */
const TIMEOUT_MS = 300_000;

const remedy = findKafkaRemedy();

describe(`chaos (SEED=${SEED})`, () => {
  for (const [name, run] of Object.entries(RUNS)) {
    it(`${name}: every promise is kept, and nothing is stuck`, { timeout: TIMEOUT_MS }, async (context) => {
      if (remedy !== undefined) context.skip(remedy);
      const folder = await mkdtemp(join(tmpdir(), "heddle-chaos-"));
      const outcome = await run({ seed: SEED, folder, log: () => undefined });
      const again = `SEED=${SEED} make test ONLY=test/chaos`;
      printOutcome(outcome, { seed: SEED, folder, again });
      const found = outcome.results.flatMap(({ id, violations }) => violations.map((each) => `${id}: ${each}`));
      if (found.length === 0) await rm(folder, { recursive: true, force: true });

      expect(found).toEqual([]);
      // A run in which nothing happened proves nothing.
      expect(outcome.faults.filter(({ note }) => note.startsWith("failed"))).toEqual([]);
      expect(outcome.record.acknowledged.length).toBeGreaterThan(0);
    });
  }
});
