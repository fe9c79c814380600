// Runs every check and every test, does not stop at the first failure, and ends with one line: `N passed, N failed`.
// Usage: node scripts/test.ts [--level fast|check|all] [path of tests...]
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { applyKnownFailing, fileOf, parseKnownFailing } from "./run-tests/known-failing.ts";
import { findLeftRunning, RUN_MARK } from "./run-tests/left-running.ts";
import { summaryLine, type Result } from "./run-tests/result.ts";
import { inWords } from "./run-tests/run-command.ts";
import { LEVELS, STEPS, type Level, type StepContext } from "./run-tests/steps.ts";

const { values, positionals } = parseArgs({
  options: { level: { type: "string", default: "all" } },
  allowPositionals: true,
});
const level = LEVELS.find((candidate) => candidate === values.level);
if (level === undefined) throw new Error(`--level is one of ${LEVELS.join(", ")}, not ${values.level}`);

const run = randomUUID();
const folder = ".test-results";
mkdirSync(folder, { recursive: true });
const results = await runSteps(level, { folder, env: { [RUN_MARK]: run }, only: positionals });
const leftRunning = endLeftRunning(run);
printClosing([...results, ...leftRunning]);

/** Runs the steps one after the other: most use all cores already. With paths given, only suites of tests run. */
async function runSteps(upTo: Level, context: StepContext): Promise<Result[]> {
  const known = parseKnownFailing(readFileSync("test/known-failing.txt", "utf8"));
  const all: Result[] = known
    .filter(({ name }) => !existsSync(fileOf(name)))
    .map(({ name }) => ({ name, state: "failed", reason: "is in known-failing.txt, but its file is gone" }));
  const included = STEPS.filter((step) => LEVELS.indexOf(step.level) <= LEVELS.indexOf(upTo));
  for (const step of included.filter(({ name }) => context.only.length === 0 || name.endsWith("tests"))) {
    console.log(`▸ ${step.name}`);
    const startedMs = performance.now();
    const judged = applyKnownFailing(await step.run(context), known);
    const took = inWords(performance.now() - startedMs);
    const failed = judged.filter(({ state }) => state === "failed");
    const mark = failed.length > 0 ? "✗" : judged.every(({ state }) => state === "skipped") ? "-" : "✓";
    console.log(`${mark} ${step.name}: ${summaryLine(judged)} (${took})`);
    // A suite has shown its failures as they came; a check has kept its output until now.
    for (const { name, reason } of failed) if (name === step.name && reason !== undefined) console.log(reason);
    all.push(...judged);
  }
  if (context.only.length > 0 && all.length === 0) {
    all.push({ name: context.only.join(" "), state: "failed", reason: "no test file has this in its path" });
  }
  return all;
}

function endLeftRunning(mark: string): Result[] {
  return findLeftRunning(mark).map(({ pid, command }): Result => {
    process.kill(pid, "SIGKILL");
    return { name: "nothing left running", state: "failed", reason: `was still running: ${command} (pid ${pid})` };
  });
}

function printClosing(all: readonly Result[]): void {
  for (const [state, title] of [
    ["skipped", "Skipped:"],
    ["failed", "Failed:"],
  ] as const) {
    const some = all.filter((result) => result.state === state);
    if (some.length > 0) console.log(`\n${title}`);
    for (const { name, reason } of some) console.log(`  ${name}: ${(reason ?? "no reason given").split("\n", 1)[0]}`);
  }
  console.log(`\n${summaryLine(all)}`);
  process.exitCode = all.some(({ state }) => state === "failed") ? 1 : 0;
}
