import { mkdir, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DomainError } from "@heddle/errors";
import { createClient } from "@heddle/sdk";
import type { CheckResult } from "./checks/check.ts";
import { runChecks } from "./checks/checks.ts";
import type { Fault, Targets } from "./faults/fault.ts";
import { type FaultOutcome, inflictFaults } from "./faults/inflict-faults.ts";
import { describeRun } from "./figures.ts";
import { collect, waitUntilQuiet } from "./record/collect.ts";
import { askDoctor } from "./record/doctor.ts";
import { writeEvidence } from "./record/evidence.ts";
import { takePoison } from "./record/poison.ts";
import { readEffects } from "./record/effects.ts";
import { programKey, type RunRecord } from "./record/run-record.ts";
import { watchMemory } from "./suite/memory.ts";
import { startSuite, type Suite, type SuiteOptions } from "./suite/start-suite.ts";
import type { DriveRecord } from "./workload/drive.ts";
import type { ExecutionPlan } from "./workload/plan-executions.ts";
import type { Program } from "./workload/program.ts";
import { renderProgram } from "./workload/render-program.ts";

/** What is run, what is done to it, and with how many processes. */
export interface Scenario extends Omit<SuiteOptions, "folder"> {
  /** Logs and records stay there. */
  folder: string;
  programs: readonly Program[];
  plans: readonly ExecutionPlan[];
  schedule(targets: Targets): readonly Fault[];
  /** Puts the load on; resolves when every call is answered. */
  load(suite: Suite): Promise<DriveRecord>;
  /** Goes on beside load and faults, e.g. publishes new versions. */
  beside?(context: ScenarioContext): Promise<unknown>;
  /** Told what happens while it happens. */
  log: (line: string) => void;
}

export interface ScenarioContext {
  suite: Suite;
  /** Publishes a program; it is active when this resolves. */
  publish(program: Program): Promise<void>;
}

/** What a run came to. */
export interface Outcome {
  results: CheckResult[];
  record: RunRecord;
  schedule: readonly Fault[];
  faults: readonly FaultOutcome[];
  /** When load and faults began, milliseconds since the Unix epoch. */
  beganAt: number;
  /** Figures for people, by name. */
  figures: Record<string, string | number>;
}

/** Within this time after the last fault everything must have ended; the longest wait of a program is far shorter. */
const QUIET_BOUND_MS = 90_000;
const SETTLE_BOUND_MS = 30_000;
const READY_BOUND_MS = 60_000;

/** One run: a suite of its own, a load, faults, and every check. */
export async function runScenario(scenario: Scenario): Promise<Outcome> {
  const { folder, log } = scenario;
  await mkdir(folder, { recursive: true });
  const suite = await startSuite(scenario);
  const memory = watchMemory(suite);
  // A pause of this thread is late load, not a fault: the wires go on.
  const pauses = monitorEventLoopDelay();
  pauses.enable();
  try {
    log(`the suite is up: ${suite.processes.map(({ name, pid }) => `${name} ${pid}`).join(", ")}`);
    const published = new Map<string, Program>();
    const context = { suite, publish: (program: Program) => publish(suite.address, program, published) };
    for (const program of scenario.programs) await context.publish(program);

    const schedule = scenario.schedule(targetsOf(suite));
    const beganAt = Date.now();
    const [driven, faults] = await Promise.all([
      scenario.load(suite),
      inflictFaults(suite, schedule, ({ fault, note }) => log(`${fault.kind} ${fault.target} ${note}`.trim())),
      scenario.beside?.(context),
    ]);
    log("load and faults are over");
    const overAt = performance.now();
    await suite.ready(READY_BOUND_MS);
    const resumed = await waitUntilQuiet(suite.address, { boundMs: QUIET_BOUND_MS, suspended: driven.suspended });
    const quietMs = Math.round(performance.now() - overAt);
    const collected = await collect({
      address: suite.address,
      brokers: [suite.kafka.address],
      acknowledged: driven.acknowledged.map(({ executionId }) => executionId),
      boundMs: SETTLE_BOUND_MS,
    });
    const record: RunRecord = {
      ...collected,
      programs: published,
      plans: scenario.plans,
      acknowledged: driven.acknowledged,
      cancels: driven.cancels,
      unanswered: driven.unanswered,
      effects: readEffects(join(folder, "records")),
      slots: scenario.slots,
      poison: await takePoison(suite.postgres.url, [suite.kafka.address], SETTLE_BOUND_MS),
      doctor: await askDoctor(suite.address, [suite.kafka.address]),
    };
    const results = runChecks(record);
    const figures = {
      ...describeRun(record, driven.errors),
      "records of the topic that are no events": collected.foreign,
      "suspensions that arrived after their resume": resumed.length,
      "from the last fault to the last end, ms": quietMs,
      "processes that ended by themselves": suite.processes.flatMap(({ collapses }) => collapses).join("; ") || "none",
      ...memory.peaks(),
      "longest pause of this process, ms": Math.round(pauses.max / 1e6),
      "processes that waited for a core, in the last 15 minutes": loadavg()[2]?.toFixed(1) ?? "",
    };
    await writeEvidence(join(folder, "evidence.ndjson"), results, record);
    await writeFile(join(folder, "outcome.json"), JSON.stringify({ figures, schedule, faults, results }, undefined, 2));
    return { results, record, schedule, faults, beganAt, figures };
  } finally {
    memory.stop();
    pauses.disable();
    await suite.stop();
  }
}

function targetsOf({ processes, wires }: Suite): Targets {
  const named = (items: readonly { name: string; kind: string }[], kind: string): string[] =>
    items.filter((item) => item.kind === kind).map(({ name }) => name);
  const databaseWires = named(wires, "database");
  return {
    services: named(processes, "service"),
    workers: named(processes, "worker"),
    databaseWires,
    // Only the journal commits all the time.
    commitWires: databaseWires.filter((name) => name.startsWith("execution")),
    serviceWires: named(wires, "service"),
  };
}

async function publish(address: string, program: Program, published: Map<string, Program>): Promise<void> {
  const client = createClient({ address });
  try {
    // Whether a publication took effect that was not answered is not known: repeated, it is answered as the same version.
    for (let isDone = false; !isDone; ) {
      isDone = await client.publish({ source: renderProgram(program) }, { timeoutMs: 10_000 }).then(
        ({ version }) => {
          published.set(programKey(program.workflowId, version.version), program);
          return true;
        },
        (error: unknown) => {
          if (error instanceof DomainError && error.kind === "invalid_argument") throw error;
          return false;
        },
      );
    }
  } finally {
    client.close();
  }
}
