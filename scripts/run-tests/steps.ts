import { rmSync, statSync } from "node:fs";
import { findBaseline } from "./breaking-baseline.ts";
import { compareGenerated } from "./generated-code.ts";
import { readReport, type Report, type Result } from "./result.ts";
import { RESULTS_FILE } from "./results-reporter.ts";
import { runCommand, type CommandResult } from "./run-command.ts";

/** How much a run covers: each level adds to the one before. */
export const LEVELS = ["fast", "check", "all"] as const;
export type Level = (typeof LEVELS)[number];

export interface Step {
  readonly name: string;
  /** The lowest level that includes it. */
  readonly level: Level;
  /** Runs it and returns one result for a check, one for each test of a suite. Never throws for a failure. */
  run(context: StepContext): Promise<Result[]>;
}

export interface StepContext {
  /** Where results and logs go. */
  readonly folder: string;
  /** Environment for everything that the step starts. */
  readonly env: Readonly<Record<string, string>>;
  /** Paths or parts of paths of the test files to run; none: all. */
  readonly only: readonly string[];
}

const MINUTE_MS = 60_000;
/** Together at most 57 minutes, whatever hangs. */
const LIMITS = {
  checkMs: 1 * MINUTE_MS,
  // Stalls are longer than the longest single test may take.
  unit: { timeoutMs: 8 * MINUTE_MS, stallMs: 2 * MINUTE_MS },
  integration: { timeoutMs: 40 * MINUTE_MS, stallMs: 12 * MINUTE_MS },
};

export const STEPS: readonly Step[] = [
  check("types", "fast", "tsc", "-p", "."),
  check("lint", "fast", "oxlint"),
  check("format", "fast", "biome", "format", "--colors=off", "."),
  check("unused code", "check", "knip", "--no-progress", "--no-config-hints"),
  check("proto lint", "check", "buf", "lint"),
  { name: "proto compatibility", level: "check", run: runBreaking },
  { name: "generated code", level: "check", run: runGenerated },
  suite("unit", "fast", LIMITS.unit),
  suite("integration", "all", LIMITS.integration),
];

function check(name: string, level: Level, ...command: [string, ...string[]]): Step {
  return {
    name,
    level,
    async run({ env }) {
      return [judge(name, await runCommand({ command, output: "keep", timeoutMs: LIMITS.checkMs, env }))];
    },
  };
}

async function runBreaking({ env }: StepContext): Promise<Result[]> {
  const name = "proto compatibility";
  const baseline = findBaseline();
  if ("skip" in baseline) return [{ name, state: "skipped", reason: baseline.skip }];
  const against = `.git#ref=${baseline.ref}`;
  const command = ["buf", "breaking", "--against", against] as const;
  return [judge(name, await runCommand({ command: [...command], output: "keep", timeoutMs: LIMITS.checkMs, env }))];
}

async function runGenerated(): Promise<Result[]> {
  const name = "generated code";
  const differences = await compareGenerated(LIMITS.checkMs);
  return [differences === "" ? { name, state: "passed" } : { name, state: "failed", reason: differences }];
}

/** A vitest project. Every test counts; so does a crash of the runner, as one more failure. */
function suite(project: string, level: Level, limits: { timeoutMs: number; stallMs: number }): Step {
  return {
    name: `${project} tests`,
    level,
    async run({ folder, env, only }) {
      const path = `${folder}/${project}.jsonl`;
      rmSync(path, { force: true });
      const ended = await runCommand({
        command: [
          ...(["vitest", "run", "--project", project] as const),
          "--reporter=default",
          "--reporter=./scripts/run-tests/results-reporter.ts",
          ...(only.length === 0 ? [] : ["--passWithNoTests", ...only]),
        ],
        output: "show",
        timeoutMs: limits.timeoutMs,
        stall: { afterMs: limits.stallMs, progress: () => sizeOf(path) },
        env: { ...env, [RESULTS_FILE]: path },
      });
      const report = readReport(path);
      return [...report.results, ...crash(project, ended, report)];
    },
  };
}

/** A runner that failed although none of its tests did. */
function crash(project: string, ended: CommandResult, { results, unfinished }: Report): Result[] {
  const name = `${project} tests`;
  if (ended.fault !== undefined) {
    const where = unfinished.length === 0 ? "" : `; unfinished: ${unfinished.join(", ")}`;
    return [{ name, state: "failed", reason: `${ended.fault}${where}` }];
  }
  if (ended.exitCode === 0 || results.some(({ state }) => state === "failed")) return [];
  return [{ name, state: "failed", reason: `vitest ended with exit code ${ended.exitCode}` }];
}

function judge(name: string, { exitCode, fault, output }: CommandResult): Result {
  if (exitCode === 0) return { name, state: "passed" };
  return { name, state: "failed", reason: [output.trim(), fault ?? ""].filter((part) => part !== "").join("\n") };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
