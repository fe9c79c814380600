import type { Finding } from "./finding.ts";
import { createLines } from "./source/locate.ts";

/** Longer lines are cut around the place. */
const MAX_WIDTH = 120;

/** `file:line:column: error [rule] message`, the line with a mark under the place, and the hint. `source` may be absent. */
export function formatFinding(finding: Finding, options: { fileName?: string; source?: string } = {}): string {
  const { line, column, severity, rule, ruleId, message, hint } = finding;
  const head = `${options.fileName ?? "definition"}:${line}:${column}: ${severity} [${ruleId} ${rule}] ${message}`;
  const frame = options.source === undefined ? [] : codeFrame(finding, options.source);
  return [head, ...frame, `  hint: ${hint}`].join("\n");
}

function codeFrame({ line, column, endLine, endColumn }: Finding, source: string): string[] {
  const text = Array.from(createLines(source.replace(/^\uFEFF/, "")).text(line));
  const from = Math.max(0, column - 1 - MAX_WIDTH / 2);
  const shown = text.slice(from, from + MAX_WIDTH).join("");
  const end = endLine === line ? endColumn : text.length + 1;
  const width = Math.max(1, Math.min(end - column, MAX_WIDTH - (column - 1 - from)));
  const gutter = String(line);
  // Tabs keep their width, so that the mark stands where the eye expects it.
  const indent = text
    .slice(from, column - 1)
    .map((character) => (character === "\t" ? "\t" : " "))
    .join("");
  return [`  ${gutter} | ${shown}`, `  ${" ".repeat(gutter.length)} | ${indent}${"^".repeat(width)}`];
}
