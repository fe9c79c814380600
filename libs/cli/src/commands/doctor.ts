import { resolve } from "node:path";
import type { Finding } from "@heddle/doctor";
import type { CommandContext } from "../context.ts";
import type { CheckReport, Examination } from "../doctor/examine.ts";
import type { EventSource } from "../doctor/published.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { doctorDefaults, doctorFindingsMax } from "../limits.ts";
import { formatDuration } from "../render/duration.ts";
import type { Style } from "../render/style.ts";
import { renderTable } from "../render/table.ts";
import { oneLine } from "../render/text-width.ts";

export interface DoctorOptions {
  brokers?: string[];
  eventLog?: string;
  sample?: number;
  seed?: number;
  rate?: number;
  patience?: number;
  overdueAfter?: number;
}

/** Findings of a check that people see; `--json` has the others. */
const SHOWN_FINDINGS = 5;

/** Proves the promises on a live suite, and says what is not as it was promised. */
export async function doctor(context: CommandContext, options: DoctorOptions): Promise<ExitCode> {
  const { createSuiteReader } = await import("../doctor/suite-reader.ts");
  const { examine } = await import("../doctor/examine.ts");
  const { signal } = context.io;
  const startedAt = performance.now();
  const examination = await examine(createSuiteReader(await context.client(), signal), {
    sample: options.sample,
    seed: options.seed ?? doctorDefaults.seed,
    perSecond: options.rate ?? doctorDefaults.perSecond,
    patienceMs: options.patience ?? doctorDefaults.patienceMs,
    overdueMs: options.overdueAfter ?? doctorDefaults.overdueMs,
    events: sourceOf(context, options),
    signal,
    onProgress: createProgress(context),
  });
  const tookMs = Math.round(performance.now() - startedAt);
  if (context.json) context.printJson(toJson(examination, tookMs));
  else print(context, examination, tookMs);
  return exitCodeOf(examination);
}

/** Violations say more than what could not be looked at. */
function exitCodeOf({ checks, unchecked }: Examination): ExitCode {
  if (checks.some(({ findings }) => findings.length > 0)) return EXIT.violations;
  return unchecked.length > 0 ? EXIT.unchecked : EXIT.ok;
}

function sourceOf({ config }: CommandContext, { eventLog, brokers }: DoctorOptions): EventSource | undefined {
  if (eventLog !== undefined) return { kind: "file", path: resolve(eventLog) };
  const given = brokers ?? config.brokers;
  return given === undefined
    ? undefined
    : { kind: "kafka", brokers: given, security: config.kafka, topicPrefix: config.topicPrefix };
}

/** A line that is painted over, on terminals. */
function createProgress({ io, config, json }: CommandContext): (what: string) => void {
  if (json || !config.live || io.stderr.isTTY !== true) return () => {};
  return (what) => void io.stderr.write(`\r\u001b[K${what}\r`);
}

function toJson({ checks, unchecked }: Examination, tookMs: number): object {
  return {
    clean: checks.every(({ findings }) => findings.length === 0),
    unchecked,
    tookMs,
    checks: checks.map(({ id, claim, looked, subject, findings, remedy, notes, unchecked: why }) => ({
      id,
      claim,
      looked,
      subject,
      violations: findings.length,
      findings: findings
        .slice(0, doctorFindingsMax)
        .map(({ executionId, machineId, message }) => ({ executionId, machineId, message })),
      notes,
      ...(findings.length > 0 && { remedy }),
      ...(why !== undefined && { unchecked: why }),
    })),
  };
}

function print(context: CommandContext, { checks, unchecked }: Examination, tookMs: number): void {
  const { io } = context;
  if (io.stderr.isTTY === true && context.config.live) io.stderr.write("\r\u001b[K");
  const style = context.style(io.stdout);
  const lines = renderTable<CheckReport>(
    checks,
    [
      { title: "CHECK", cell: ({ id }) => id },
      {
        title: "LOOKED AT",
        cell: ({ looked, subject, unchecked: why }) => (isSkipped(looked, why) ? "-" : `${looked} ${subject}`),
      },
      { title: "VIOLATIONS", cell: (check) => violationsText(check, style), align: "right" },
      {
        title: "HOLDS",
        cell: ({ claim, unchecked: why }) => (why === undefined ? claim : style.yellow(`not checked: ${why}`)),
      },
    ],
    style.dim,
  );
  for (const line of lines) context.print(line);
  for (const check of checks) printFindings(context, check, style);
  for (const { id, notes } of checks) if (notes.length > 0) context.say(style.dim(`${id}: ${notes.join("; ")}`));
  for (const what of unchecked) context.say(`${style.yellow("could not look at")} ${what}`);
  context.say(style.dim(`took ${formatDuration(tookMs)}`));
}

function isSkipped(looked: number, why: string | undefined): boolean {
  return why !== undefined && looked === 0;
}

function violationsText({ findings, looked, unchecked }: CheckReport, style: Style): string {
  if (isSkipped(looked, unchecked)) return "-";
  return findings.length === 0 ? style.green("0") : style.red(String(findings.length));
}

function printFindings(context: CommandContext, { id, findings, remedy }: CheckReport, style: Style): void {
  if (findings.length === 0) return;
  context.print("");
  context.print(style.bold(id));
  for (const finding of findings.slice(0, SHOWN_FINDINGS)) context.print(`  ${findingText(finding, style)}`);
  const more = findings.length - SHOWN_FINDINGS;
  if (more > 0) context.print(`  … and ${more} more: --json has them`);
  context.print(`  ${style.cyan("what to do:")} ${remedy}`);
}

function findingText({ executionId, machineId, message }: Finding, style: Style): string {
  const text = oneLine(message);
  const id = executionId ?? machineId;
  return id === undefined ? text : `${style.bold(id)}  ${text}`;
}
