import type { Failure } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import { NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { keyText } from "./describe-event.ts";
import { formatDuration } from "./duration.ts";
import type { ExecutionView, NodeView } from "./execution-view.ts";
import { isFinal, nodeStatusName, paintStatus } from "./names.ts";
import type { Signs } from "./signs.ts";
import type { Style } from "./style.ts";
import { oneLine, padEnd, textWidth, truncate } from "./text-width.ts";

export interface TreeOptions {
  style: Style;
  signs: Signs;
  /** Lines are cut to this many cells. */
  columns: number;
  /** The tree takes at most this many lines, at least 4; nodes that do not fit are counted in one line. */
  maxLines: number;
  /** For nodes that are under way, milliseconds since the epoch. */
  nowMs: number;
  /** Counts the paintings, for what turns. */
  frame: number;
}

const ACTIVE: ReadonlySet<NodeStatus> = new Set([
  NodeStatus.SCHEDULED,
  NodeStatus.BACKING_OFF,
  NodeStatus.WAITING,
  NodeStatus.FAILED,
]);
/** Cells that the names of nodes take at most. */
const NAME_COLUMNS = 36;

/** The execution as lines: a title, one line per node, the last log lines, and why it failed. */
export function renderTree(view: ExecutionView, options: TreeOptions): string[] {
  const foot = renderFoot(view, options);
  const origin = renderOrigin(view, options);
  const room = Math.max(1, options.maxLines - 1 - origin.length - foot.length);
  const nodes = [...view.nodes.values()];
  const shown = chooseNodes(nodes, room, options);
  const width = Math.min(NAME_COLUMNS, Math.max(0, ...shown.nodes.map((node) => textWidth(nameOf(node)))));
  const lines = [
    renderTitle(view, options),
    ...origin,
    ...shown.nodes.flatMap((node) => renderNode(node, width, options)).slice(0, room),
    ...(shown.rest === undefined ? [] : [options.style.dim(`  ${shown.rest}`)]),
    ...foot,
  ];
  return lines.slice(0, options.maxLines).map((line) => truncate(line, options.columns));
}

function renderTitle(view: ExecutionView, { style, nowMs }: TreeOptions): string {
  const { workflowId, version, status, startedAtMs, endedAtMs, executionId } = view;
  const elapsed = formatDuration((endedAtMs ?? nowMs) - startedAtMs);
  return `${style.bold(oneLine(workflowId))} ${style.dim(`v${version}`)}  ${paintStatus(status, style)}  ${elapsed}  ${style.dim(executionId)}`;
}

/** Who has started it, when that is a machine, or what it runs again. */
function renderOrigin({ origin, rerunOf }: ExecutionView, { style }: TreeOptions): string[] {
  if (rerunOf !== undefined) return [style.dim(`  runs ${rerunOf} again`)];
  return origin === undefined
    ? []
    : [style.dim(`  invoked as ${oneLine(origin.name)} by machine ${oneLine(origin.id)}`)];
}

function renderFoot(view: ExecutionView, { style, columns }: TreeOptions): string[] {
  const logs = view.logs.map(({ level, message }) => style.dim(`  ${level}: ${oneLine(message)}`));
  const { handledFailure: handled, failure } = view;
  const lines = handled === undefined ? logs : [...logs, style.yellow(`  was to fail with ${toLine(handled)}`)];
  // Node failures stand below their nodes; this is for an execution that failed without one, or in its own words.
  if (!isFinal(view.status) || failure === undefined || isShown(view, failure)) return lines;
  return [...lines, truncate(style.red(`  ${toLine(failure)}`), columns)];
}

function toLine({ type, message }: Pick<Failure, "type" | "message">): string {
  return `${oneLine(type)}: ${oneLine(message)}`;
}

function isShown({ nodes }: ExecutionView, { nodeId, type, message }: NonNullable<ExecutionView["failure"]>): boolean {
  if (!nodeId) return false;
  const node = nodes.get(nodeId);
  return node?.failure === undefined || (node.failure.type === type && node.failure.message === message);
}

function renderNode(node: NodeView, width: number, options: TreeOptions): string[] {
  const { style, signs, frame, nowMs } = options;
  const name = padEnd(truncate(nameOf(node), width), width);
  const waits = node.status === NodeStatus.PENDING || node.status === NodeStatus.SKIPPED;
  const facts = factsOf(node, nowMs).map((fact) => style.dim(fact));
  const line = `  ${signs.of(node.status, frame)} ${waits ? style.dim(name) : name}  ${facts.join("  ")}`.trimEnd();
  if (node.failure === undefined) return [line];
  const paint = node.status === NodeStatus.FAILED ? style.red : style.yellow;
  const indent = " ".repeat(6 + 2 * node.depth);
  return [line, `${indent}${paint(`${oneLine(node.failure.type)}: ${oneLine(node.failure.message)}`)}`];
}

function nameOf({ id, depth }: NodeView): string {
  return `${"  ".repeat(depth)}${oneLine(id)}`;
}

function factsOf(node: NodeView, nowMs: number): string[] {
  const facts: string[] = [];
  const { status, startedAtMs, endedAtMs, dueAtMs, attempt } = node;
  if (status === NodeStatus.SKIPPED) return [`skipped: ${(node.skipReason ?? "").replaceAll("_", " ")}`];
  if (status === NodeStatus.PENDING) return [];
  if (node.reused) return ["reused"];
  if (startedAtMs !== undefined) facts.push(formatDuration((endedAtMs ?? nowMs) - startedAtMs).padStart(6));
  if (attempt > 1) facts.push(`attempt ${attempt}`);
  if (node.turn !== undefined && node.kind === "loop") facts.push(`turn ${node.turn + 1}`);
  if (node.map !== undefined) facts.push(itemsOf(node.map));
  if (status === NodeStatus.BACKING_OFF && dueAtMs !== undefined) {
    facts.push(`next attempt in ${formatDuration(dueAtMs - nowMs)}`);
  }
  if (status === NodeStatus.WAITING) facts.push(waitOf(node, nowMs));
  if (status === NodeStatus.CANCELED) facts.push(nodeStatusName(status));
  if (node.worker !== undefined) facts.push(`on ${oneLine(node.worker)}`);
  return facts;
}

/** `4 of 100 items, 1 failed`; without the whole when it is not known. */
function itemsOf({ count, running, succeeded, failed }: NonNullable<NodeView["map"]>): string {
  const of = count === 0 ? "" : ` of ${count}`;
  const rest = [running > 0 && `${running} running`, failed > 0 && `${failed} failed`].filter(Boolean);
  return [`${succeeded + failed}${of} items`, ...rest].join(", ");
}

function waitOf(
  { signal, event, signalKey, childId, machineId, humanTaskId, asks, dueAtMs }: NodeView,
  nowMs: number,
): string {
  const limit = dueAtMs === undefined ? "" : ` ${formatDuration(dueAtMs - nowMs)}`;
  const awaited = signal ?? event;
  if (awaited !== undefined) {
    const what = signal === undefined ? "event" : "signal";
    return `waits for ${what} ${oneLine(awaited)}${keyText(signalKey)}${limit && `, at most${limit}`}`;
  }
  if (childId !== undefined) return `waits for ${childId}`;
  if (machineId !== undefined) return `waits for machine ${machineId}`;
  if (humanTaskId !== undefined)
    return `asks ${asks === undefined ? "anybody" : oneLine(asks)}${limit && `, for${limit}`}`;
  return dueAtMs === undefined ? "waits" : `waits${limit}`;
}

/** When not all fit: what is under way or failed first, then what ended last, then what comes next; in tree order. */
function chooseNodes(nodes: NodeView[], room: number, options: TreeOptions): { nodes: NodeView[]; rest?: string } {
  const height = (node: NodeView): number => (node.failure === undefined ? 1 : 2);
  const total = nodes.reduce((sum, node) => sum + height(node), 0);
  if (total <= room) return { nodes };
  const rank = (node: NodeView): number => {
    if (ACTIVE.has(node.status)) return 0;
    return node.status === NodeStatus.PENDING ? 2 : 1;
  };
  const byInterest = nodes.toSorted(
    (a, b) => rank(a) - rank(b) || (rank(a) === 1 ? (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0) : 0),
  );
  const chosen = new Set<NodeView>();
  let used = 1;
  for (const node of byInterest) {
    if (used + height(node) > room) break;
    used += height(node);
    chosen.add(node);
  }
  const counts = new Map<string, number>();
  for (const node of nodes) {
    if (chosen.has(node)) continue;
    const name = nodeStatusName(node.status);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const rest = [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
  const dots = options.signs.of(NodeStatus.PENDING, 0).includes("○") ? "…" : "...";
  return { nodes: nodes.filter((node) => chosen.has(node)), rest: `${dots} and ${rest}` };
}
