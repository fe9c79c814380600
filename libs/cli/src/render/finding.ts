import type { Style } from "./style.ts";

/** A finding, however it came: from the compiler here, or from a server. */
export interface ShownFinding {
  severity: "error" | "warning";
  /** `HD204`; absent when the message says it. */
  ruleId?: string;
  rule?: string;
  message: string;
  hint?: string;
  /** From 1. */
  line: number;
  column: number;
  endLine?: number;
  endColumn?: number;
}

/** Cells of a source line that are shown; a longer one is cut around the place. */
const MAX_COLUMNS = 120;

/** `file:line:column: error …`, the line with a mark below the place, and the hint. */
export function renderFinding(
  finding: ShownFinding,
  { path, source, style }: { path: string; source: string; style: Style },
): string[] {
  const { severity, ruleId, rule, message, hint, line, column } = finding;
  const level = severity === "error" ? style.red("error") : style.yellow("warning");
  const name = ruleId === undefined || ruleId === "" ? "" : ` [${ruleId} ${rule}]`;
  const lines = [`${style.bold(`${path}:${line}:${column}:`)} ${level}${name} ${message}`];
  lines.push(...codeFrame(finding, source, style));
  if (hint) lines.push(`  ${style.cyan("hint:")} ${hint}`);
  return lines;
}

function codeFrame(
  { line, column, endLine, endColumn, severity }: ShownFinding,
  source: string,
  style: Style,
): string[] {
  const text = source.split(/\r?\n/)[line - 1];
  if (text === undefined) return [];
  const start = Math.min(Math.max(0, column - 1), text.length);
  const end = endLine === line && endColumn !== undefined ? endColumn - 1 : start + 1;
  const from = text.length <= MAX_COLUMNS ? 0 : Math.max(0, start - MAX_COLUMNS / 2);
  const shown = visible(text.slice(from, from + MAX_COLUMNS));
  // Tabs before the mark stay tabs, so that it stands below its place however wide they are shown.
  const indent = shown.slice(0, start - from).replaceAll(/[^\t]/g, " ");
  const mark = "^".repeat(Math.max(1, Math.min(end - start, MAX_COLUMNS - (start - from))));
  const paint = severity === "error" ? style.red : style.yellow;
  const gutter = String(line);
  return [
    `  ${style.dim(`${gutter} |`)} ${shown}`,
    `  ${style.dim(`${" ".repeat(gutter.length)} |`)} ${indent}${paint(mark)}`,
  ];
}

/** Control characters would move the cursor. */
function visible(text: string): string {
  return text.replace(/[^\P{Cc}\t]/gu, " ");
}
