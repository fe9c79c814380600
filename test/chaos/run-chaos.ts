import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@heddle/sdk";
import type { CheckResult } from "./checks/check.ts";
import { runChecks } from "./checks/checks.ts";
import { firedTimers } from "./checks/timers.ts";
import { countDuplicates } from "./checks/published.ts";
import type { Fault, FaultKind } from "./faults/fault.ts";
import { type FaultOutcome, inflictFaults } from "./faults/inflict-faults.ts";
import { planFaults } from "./faults/plan-faults.ts";
import { collect, waitUntilQuiet } from "./record/collect.ts";
import { readEffects } from "./record/effects.ts";
import { programKey, type RunRecord } from "./record/run-record.ts";
import { startSuite, type Suite } from "./suite/start-suite.ts";
import { drive, type DriveRecord } from "./workload/drive.ts";
import { generatePrograms } from "./workload/generate-programs.ts";
import { planExecutions } from "./workload/plan-executions.ts";
import type { Program } from "./workload/program.ts";
import { createRandom, type Random } from "./workload/random.ts";
import { renderProgram } from "./workload/render-program.ts";

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

export interface ChaosOutcome {
  results: CheckResult[];
  schedule: readonly Fault[];
  faults: readonly FaultOutcome[];
  /** Figures for people, by name. */
  figures: Readonly<Record<string, string | number>>;
}

const REPLICAS = 2;
const WORKERS = 3;
const SLOTS = 20;
/** Within this time after the last fault everything must have ended; the longest wait of a program is far shorter. */
const QUIET_BOUND_MS = 90_000;
const SETTLE_BOUND_MS = 30_000;
const READY_BOUND_MS = 60_000;
/** New versions of programs are published this often while the load is on. */
const PUBLICATIONS = 6;

/** One run: a suite of its own, a load, the faults that the seed decides, and every check. */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const { seed, folder, log } = options;
  await mkdir(folder, { recursive: true });
  const random = createRandom(seed);
  const programs = generatePrograms(random.fork());
  const plans = planExecutions(random.fork(), programs, options.executions, `chaos-${seed}`);
  const faultRandom = random.fork();
  const versionRandom = random.fork();
  const suite = await startSuite({
    folder,
    executionReplicas: REPLICAS,
    schedulerReplicas: REPLICAS,
    workers: WORKERS,
    slots: SLOTS,
  });
  try {
    const schedule = planFaults(faultRandom, {
      count: options.faults,
      windowMs: options.windowMs,
      kinds: options.kinds,
      targets: targetsOf(suite),
    });
    log(`suite is up: ${suite.processes.map(({ name, pid }) => `${name} ${pid}`).join(", ")}`);
    const published = await publishAll(suite.address, programs);

    const memory = watchMemory(suite);
    const [driven, faults] = await Promise.all([
      drive({
        address: suite.address,
        plans,
        windowMs: options.windowMs,
        journal: join(folder, "records", "acknowledged.ndjson"),
      }),
      inflictFaults(suite, schedule, ({ fault, note }) => log(`${fault.kind} ${fault.target} ${note}`.trim())),
      publishVersions(suite.address, programs, published, versionRandom, options.windowMs),
    ]);
    log("load and faults are over");
    const overAt = performance.now();
    await suite.ready(READY_BOUND_MS);
    const resumed = await waitUntilQuiet(suite.address, { boundMs: QUIET_BOUND_MS, suspended: driven.suspended });
    const quietMs = Math.round(performance.now() - overAt);
    memory.stop();
    log(`quiet after ${quietMs} ms`);
    const collected = await collect(suite.address, [suite.kafka.address], SETTLE_BOUND_MS);
    const record: RunRecord = {
      ...collected,
      programs: published,
      plans,
      acknowledged: driven.acknowledged,
      cancels: driven.cancels,
      effects: readEffects(join(folder, "records")),
      slots: SLOTS,
    };
    const results = runChecks(record);
    const outcome: ChaosOutcome = {
      results,
      schedule,
      faults,
      figures: {
        ...figuresOf(record, driven),
        "foreign records in the topic": collected.foreign,
        "suspensions that came late and were resumed again": resumed.length,
        "time from the last fault to quiet, ms": quietMs,
        "processes that ended by themselves":
          suite.processes.flatMap(({ collapses }) => collapses).join("; ") || "none",
        ...memory.peaks(),
      },
    };
    await writeFile(join(folder, "outcome.json"), JSON.stringify({ seed, ...outcome }, undefined, 2));
    return outcome;
  } finally {
    await suite.stop();
  }
}

export function violationsOf({ results }: ChaosOutcome): number {
  return results.reduce((sum, { violations }) => sum + violations.length, 0);
}

function targetsOf({ processes, wires }: Suite) {
  const named = (items: readonly { name: string; kind: string }[], kind: string): string[] =>
    items.filter((item) => item.kind === kind).map(({ name }) => name);
  return {
    services: named(processes, "service"),
    workers: named(processes, "worker"),
    databaseWires: named(wires, "database"),
    serviceWires: named(wires, "service"),
  };
}

async function publishAll(address: string, programs: readonly Program[]): Promise<Map<string, Program>> {
  const client = createClient({ address });
  const published = new Map<string, Program>();
  for (const program of programs) await publish(client, program, published);
  client.close();
  return published;
}

async function publish(
  client: ReturnType<typeof createClient>,
  program: Program,
  published: Map<string, Program>,
): Promise<void> {
  const { version } = await client.publish({ source: renderProgram(program) }, { timeoutMs: READY_BOUND_MS });
  published.set(programKey(program.workflowId, version.version), program);
}

/** Publishes programs anew while executions of them run: each version gives other results. */
async function publishVersions(
  address: string,
  programs: readonly Program[],
  published: Map<string, Program>,
  random: Random,
  windowMs: number,
): Promise<void> {
  const client = createClient({ address });
  for (let publication = 1; publication <= PUBLICATIONS; publication++) {
    await new Promise((resolve) => setTimeout(resolve, windowMs / (PUBLICATIONS + 1)));
    const program = { ...random.pick(programs), salt: 1_000 * publication + random.below(1_000) };
    // Whether a publication took effect that was not answered is not known: then it is repeated, and answered as the same.
    for (let isDone = false; !isDone; ) {
      isDone = await publish(client, program, published).then(
        () => true,
        () => false,
      );
    }
  }
  client.close();
}

function figuresOf(record: RunRecord, driven: DriveRecord): Record<string, string | number> {
  const histories = [...record.histories.values()];
  const lateness = [...record.histories.values()].flatMap(firedTimers).map(({ dueAt, firedAt }) => firedAt - dueAt);
  const errors = [...driven.errors].map(([name, count]) => `${name}: ${count}`);
  const stale = record.effects.filter(({ phase }) => phase === "stale").length;
  const begun = record.effects.filter(({ phase }) => phase === "begin");
  return {
    "executions, children included": record.listed.length,
    events: histories.reduce((sum, history) => sum + history.length, 0),
    "handler runs": begun.length,
    "handler runs beyond the first of an attempt": begun.length - new Set(begun.map(({ key }) => key)).size,
    "answers that came after their lease": stale,
    "events published more than once": countDuplicates(record),
    "timers that fired": lateness.length,
    "latest timer, ms after it was due": Math.max(0, ...lateness),
    "errors that callers met": errors.join("; ") || "none",
  };
}

/** The most memory that each service had, as the system counts it. */
function watchMemory(suite: Suite): { stop(): void; peaks(): Record<string, string> } {
  const peaks = new Map<string, number>();
  const timer = setInterval(() => {
    for (const each of suite.processes) {
      const bytes = each.residentBytes();
      if (bytes !== undefined && each.kind === "service")
        peaks.set(each.name, Math.max(bytes, peaks.get(each.name) ?? 0));
    }
  }, 500);
  return {
    stop: () => clearInterval(timer),
    peaks: () =>
      Object.fromEntries(
        [...peaks].map(([name, bytes]) => [`most memory of ${name}`, `${Math.round(bytes / 2 ** 20)} MB`]),
      ),
  };
}
