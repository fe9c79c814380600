import type { CheckResult } from "./checks/check.ts";
import type { FaultOutcome } from "./faults/inflict-faults.ts";
import { describeFault } from "./faults/plan-faults.ts";

/** Violations of one check that are printed; all are in the record. */
const VIOLATIONS_SHOWN = 8;

/** The table of promises: what was checked, how many of it, what is wrong. */
export function renderTable(results: readonly CheckResult[]): string {
  const rows = [
    ["promise", "check", "what holds", "count", "violations"],
    ...results.map(({ promise, id, claim, count, violations }) => [
      promise === 0 ? "model" : String(promise),
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

export function renderViolations(results: readonly CheckResult[]): string {
  return results
    .filter(({ violations }) => violations.length > 0)
    .flatMap(({ id, violations }) => [
      `${id}:`,
      ...violations.slice(0, VIOLATIONS_SHOWN).map((violation) => `  ${violation}`),
      ...(violations.length > VIOLATIONS_SHOWN ? [`  and ${violations.length - VIOLATIONS_SHOWN} more`] : []),
    ])
    .join("\n");
}

export function renderFaults(outcomes: readonly FaultOutcome[]): string {
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
