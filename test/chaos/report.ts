import type { CheckResult } from "./checks/check.ts";
import type { Fault } from "./faults/fault.ts";
import type { FaultOutcome } from "./faults/inflict-faults.ts";
import { describeFault } from "./faults/plan-faults.ts";

/** What is printed of a run. */
export interface Reported {
  results: readonly CheckResult[];
  schedule: readonly Fault[];
  faults: readonly FaultOutcome[];
  figures: Readonly<Record<string, string | number>>;
  measurements?: readonly { name: string; value: number; unit: string; limit: number }[];
}

/** How a run can be had again, and where to look. */
export interface Provenance {
  seed: number;
  folder: string;
  /** The command. */
  again: string;
}

/** Prints everything that is to be known of a run. True when nothing is wrong. */
export function printOutcome(outcome: Reported, { seed, folder, again }: Provenance): boolean {
  const { results, schedule, faults, figures, measurements = [] } = outcome;
  console.log(`\n${faults.length} faults:\n${renderFaults(faults)}\n`);
  for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${value}`);
  console.log(`\n${renderTable(results)}\n`);
  for (const { name, value, unit, limit } of measurements) {
    console.log(`${value <= limit ? "ok  " : "MORE"}  ${name}: ${value} ${unit} (at most ${limit})`);
  }
  const violations = results.reduce((sum, result) => sum + result.violations.length, 0);
  const isWithinLimits = measurements.every(({ value, limit }) => value <= limit);
  if (violations > 0) {
    console.log(`${renderViolations(results)}\n\nthe schedule was:`);
    for (const fault of schedule) console.log(`  ${describeFault(fault)}`);
  }
  if (violations > 0 || !isWithinLimits) console.log(`logs and records: ${folder}\nagain: ${again}`);
  console.log(`${violations} violations; ${faults.length} faults; seed ${seed}`);
  return violations === 0 && isWithinLimits;
}

/** Violations of one check that are printed; all are in the record. */
const VIOLATIONS_SHOWN = 8;

/** The table of promises: what was checked, how many of it, what is wrong. */
function renderTable(results: readonly CheckResult[]): string {
  const rows = [
    ["promise", "check", "what holds", "count", "violations"],
    ...results.map(({ promise, id, claim, count, violations }) => [
      String(promise),
      id,
      claim,
      String(count),
      String(violations.length),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, column >= 3))
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  return lines.join("\n");
}

function renderViolations(results: readonly CheckResult[]): string {
  return results
    .filter(({ violations }) => violations.length > 0)
    .flatMap(({ id, violations }) => [
      `${id}:`,
      ...violations.slice(0, VIOLATIONS_SHOWN).map((violation) => `  ${violation}`),
      ...(violations.length > VIOLATIONS_SHOWN ? [`  and ${violations.length - VIOLATIONS_SHOWN} more`] : []),
    ])
    .join("\n");
}

function renderFaults(outcomes: readonly FaultOutcome[]): string {
  return outcomes
    .toSorted((a, b) => a.beganMs - b.beganMs)
    .map(({ fault, beganMs, endedMs, note }) => {
      const late = beganMs - fault.atMs > 1_000 ? `began at ${(beganMs / 1_000).toFixed(1)} s` : "";
      const end = `over at ${(endedMs / 1_000).toFixed(1)} s`;
      return `  ${[describeFault(fault), late, end, note].filter((part) => part !== "").join("; ")}`;
    })
    .join("\n");
}

function pad(text: string, width: number, isNumber: boolean): string {
  return isNumber ? text.padStart(width) : text.padEnd(width);
}
