import { formatDuration, oneLine, type Painter, type Style, truncate } from "@heddle/cli";

/** Where one ticket stands. */
export interface BoardRow {
  id: string;
  subject: string;
  /** Nodes that are under way. */
  active: Set<string>;
  /** Nodes that have completed. */
  completed: Set<string>;
  retries: number;
  /** Set once it has ended. */
  outcome?: string;
}

const STEPS: readonly { title: string; nodes: readonly string[] }[] = [
  { title: "classify", nodes: ["classify"] },
  { title: "look up", nodes: ["lookup"] },
  { title: "route", nodes: ["route"] },
  { title: "reply", nodes: ["answer", "ask", "escalate", "close"] },
];
const BAR_CELLS = 30;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** All tickets at a glance, for a painter: what has ended is counted, what is under way has a line of its own. */
export function renderBoard(
  rows: readonly BoardRow[],
  {
    style,
    size,
    frame,
    elapsedMs,
  }: { style: Style; size: ReturnType<Painter["size"]>; frame: number; elapsedMs: number },
): string[] {
  const ended = rows.filter(({ outcome }) => outcome !== undefined);
  const underWay = rows.filter(
    ({ outcome, active, completed }) => outcome === undefined && active.size + completed.size > 0,
  );
  const filled = Math.round((BAR_CELLS * ended.length) / rows.length);
  const bar = style.green("█".repeat(filled)) + style.dim("░".repeat(BAR_CELLS - filled));
  const counts = countBy(ended.map(({ outcome }) => outcome ?? ""));
  const lines = [
    `${bar} ${style.bold(`${ended.length}/${rows.length}`)} tickets  ${formatDuration(elapsedMs)}`,
    style.dim([...counts].map(([outcome, count]) => `${count} ${outcome}`).join("  ")),
    ...underWay.map((row) => renderRow(row, style, frame)),
  ];
  return lines.slice(0, size.maxLines).map((line) => truncate(line, size.columns));
}

function renderRow({ id, subject, active, completed, retries }: BoardRow, style: Style, frame: number): string {
  const spinner = SPINNER[frame % SPINNER.length] ?? "";
  const steps = STEPS.map(({ title, nodes }) => {
    if (nodes.some((node) => completed.has(node))) return `${style.green("✓")} ${title}`;
    if (nodes.some((node) => active.has(node))) return `${style.cyan(spinner)} ${style.bold(title)}`;
    return style.dim(`○ ${title}`);
  });
  const again = retries > 0 ? style.yellow(` ↻${retries}`) : "";
  return `${id}  ${steps.join("  ")}  ${style.dim(truncate(oneLine(subject), 40))}${again}`;
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
