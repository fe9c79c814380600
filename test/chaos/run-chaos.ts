import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultKind } from "./faults/fault.ts";
import { planFaults } from "./faults/plan-faults.ts";
import { type Outcome, runScenario } from "./scenario.ts";
import { drive } from "./workload/drive.ts";
import { generatePrograms } from "./workload/generate-programs.ts";
import { planExecutions, planTellers } from "./workload/plan-executions.ts";
import { createRandom } from "./workload/random.ts";

export interface ChaosOptions {
  seed: number;
  executions: number;
  faults: number;
  /** Starts and faults are spread over this time. */
  windowMs: number;
  kinds: readonly FaultKind[];
  /** Logs and records stay there. */
  folder: string;
  /** Told what happens while it happens. */
  log: (line: string) => void;
}

/** New versions of programs are published this often while the load is on. */
const PUBLICATIONS = 6;

/** Random programs on the whole suite, two replicas where that means something, under the faults that the seed decides. */
export async function runChaos({ seed, windowMs, folder, ...options }: ChaosOptions): Promise<Outcome> {
  const random = createRandom(seed);
  const programs = generatePrograms(random.fork());
  const plans = planExecutions(random.fork(), programs, options.executions, `chaos-${seed}`);
  const faultRandom = random.fork();
  const versionRandom = random.fork();
  return await runScenario({
    folder,
    executionReplicas: 2,
    schedulerReplicas: 2,
    workers: 3,
    slots: 20,
    programs,
    plans: [...plans, ...planTellers(plans)],
    schedule: (targets) => planFaults(faultRandom, { count: options.faults, windowMs, kinds: options.kinds, targets }),
    load: ({ address }) => drive({ address, plans, windowMs, journal: join(folder, "records", "acknowledged.ndjson") }),
    async beside({ publish }) {
      // While executions of them run: each version gives other results.
      for (let publication = 1; publication <= PUBLICATIONS; publication++) {
        await sleep(windowMs / (PUBLICATIONS + 1));
        await publish({
          ...versionRandom.pick(programs),
          salt: 1_000 * publication + versionRandom.below(1_000),
        });
      }
    },
    log: options.log,
  });
}
