import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import type { Failure } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import type { ExecutionEvent, NodeReused, TurnStarted } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { type Execution, ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { OutlineEntry } from "./outline.ts";

/** What is shown of a node. Times in milliseconds since the epoch. */
export interface NodeView {
  readonly id: string;
  readonly kind: string;
  /** How deep it stands below switches and parallels. */
  readonly depth: number;
  status: NodeStatus;
  attempt: number;
  startedAtMs?: number;
  endedAtMs?: number;
  dueAtMs?: number;
  signal?: string;
  /** Of the signal or event. */
  signalKey?: string;
  event?: string;
  worker?: string;
  failure?: Pick<Failure, "type" | "message">;
  skipReason?: string;
  childId?: string;
  machineId?: string;
  /** Of a human node that waits. */
  humanTaskId?: string;
  /** Of a human node: who is to answer, as far as it was seen; absent: anybody. */
  asks?: string;
  /** Of a group or loop that has begun, from 0. */
  turn?: number;
  /** Of a map that has begun. */
  map?: { count: number; running: number; succeeded: number; failed: number };
  /** Its end is that of the execution that is run again. */
  reused?: boolean;
}

/** What is shown of an execution, kept up to date by its events. */
export interface ExecutionView {
  readonly executionId: string;
  readonly workflowId: string;
  readonly version: number;
  status: ExecutionStatus;
  /** Execution that it runs again. */
  readonly rerunOf?: string;
  /** Machine that has invoked it, and as what. */
  readonly origin?: { id: string; name: string };
  readonly startedAtMs: number;
  endedAtMs?: number;
  failure?: Pick<Failure, "type" | "message" | "nodeId">;
  /** Why it was to fail, when its definition said how it goes on all the same. */
  handledFailure?: Pick<Failure, "type" | "message">;
  lastSeq: bigint;
  /** By id, in the order in which they are shown. */
  readonly nodes: Map<string, NodeView>;
  /** The last lines of log actions. */
  readonly logs: { level: string; message: string }[];
}

/** Lines of log actions that the live view shows. */
const LOG_LINES = 3;

/** The outline gives order and depth; without one nodes stand in document order. */
export function createExecutionView(execution: Execution, outline?: readonly OutlineEntry[]): ExecutionView {
  const nodes = new Map<string, NodeView>();
  const byId = new Map(execution.nodes.map((node) => [node.nodeId, node]));
  const order = outline ?? execution.nodes.map(({ nodeId }) => ({ id: nodeId, depth: 0 }));
  for (const { id, depth } of order) {
    const node = byId.get(id);
    if (node === undefined) continue;
    nodes.set(id, {
      id,
      depth,
      kind: node.kind,
      status: node.status,
      attempt: node.attempt,
      startedAtMs: toMs(node.startedAt),
      endedAtMs: toMs(node.endedAt),
      dueAtMs: toMs(node.dueAt),
      signal: node.signal || undefined,
      signalKey: node.signalKey || undefined,
      event: node.event || undefined,
      worker: node.worker || undefined,
      failure: node.failure,
      skipReason: node.skipReason || undefined,
      childId: node.childId || undefined,
      machineId: node.machineId || undefined,
      turn: node.turn === 0 ? undefined : node.turn - 1,
      map: node.mapProgress && { ...node.mapProgress },
      humanTaskId: node.humanTaskId || undefined,
      asks: node.assignee || node.groups.join(", ") || undefined,
      ...(node.reused && { reused: true }),
    });
  }
  return {
    executionId: execution.executionId,
    workflowId: execution.workflowId,
    version: execution.version,
    status: execution.status,
    rerunOf: execution.rerunOf?.executionId,
    origin: execution.origin,
    startedAtMs: toMs(execution.startedAt) ?? 0,
    endedAtMs: toMs(execution.endedAt),
    failure: execution.failure,
    handledFailure: execution.handledFailure,
    lastSeq: execution.lastSeq,
    nodes,
    logs: [],
  };
}

/** Takes the next event in; one that is part of the view already changes nothing. */
export function applyEvent(view: ExecutionView, record: ExecutionEvent): void {
  if (record.seq <= view.lastSeq) return;
  view.lastSeq = record.seq;
  const at = toMs(record.occurredAt) ?? view.startedAtMs;
  const { event } = record;
  switch (event.case) {
    case "executionCompleted":
      end(view, ExecutionStatus.COMPLETED, at);
      break;
    case "executionFailed":
      end(view, ExecutionStatus.FAILED, at);
      view.failure = event.value.failure;
      break;
    case "executionCanceled":
      end(view, ExecutionStatus.CANCELED, at);
      break;
    case "executionErrorHandled":
      view.handledFailure = event.value.failure;
      break;
    case "executionSuspended":
      view.status = ExecutionStatus.SUSPENDED;
      break;
    case "executionResumed":
    case "executionEndingHastened":
      view.status = ExecutionStatus.RUNNING;
      break;
    case "logged":
      view.logs.push({ level: event.value.level, message: event.value.message });
      if (view.logs.length > LOG_LINES) view.logs.shift();
      break;
    case "taskScheduled":
    case "taskCompleted":
    case "taskFailed":
    case "waitStarted":
    case "childStarted":
    case "machineRequested":
    case "machineAcknowledged":
    case "nodeCompleted":
    case "nodeFailed":
    case "nodeSkipped":
    case "nodeCanceled":
    case "errorHandled":
      applyToNode(nodeOf(view, event.value.nodeId), event, at);
      break;
    case "turnStarted":
      startTurn(view, nodeOf(view, event.value.nodeId), event.value, at);
      break;
    case "mapStarted":
      applyToNode(nodeOf(view, event.value.nodeId), event, at);
      break;
    case "itemStarted":
      startItem(nodeOf(view, event.value.nodeId));
      break;
    case "itemEnded":
      endItem(nodeOf(view, event.value.nodeId), event.value.outcome);
      break;
    case "incidentResolved":
      // Anything but another try follows with an event of its own.
      if (event.value.action === "retry") beginAfresh(nodeOf(view, event.value.nodeId));
      break;
    case "nodeReused":
      reuseNode(nodeOf(view, event.value.nodeId), event.value);
      break;
    case "executionReset":
      for (const id of event.value.nodeIds) beginAfresh(nodeOf(view, id));
      break;
    case "compensationStarted":
      // One node undoes all turns of a step, one after the other.
      Object.assign(nodeOf(view, event.value.nodeId), { status: NodeStatus.PENDING, ...NOT_BEGUN });
      break;
    case "humanTaskCreated":
    case "humanTaskClaimed":
    case "humanTaskReleased":
    case "humanTaskReassigned":
    case "humanTaskEscalated":
      askPeople(nodeOf(view, event.value.nodeId), event, at);
      break;
    case "executionEnding":
      // A cancel goes before a suspension.
      if (event.value.outcome === "canceled") view.status = ExecutionStatus.RUNNING;
      break;
    case "varsReused":
    case "itemsReused":
    case "attributesSet":
    case "humanTaskCommented":
    case "humanTaskAnswered":
    case "humanTaskExpired":
    case "turnEnded":
    case "compensationRecorded":
    case "childEnded":
    case "executionStarted":
    case "signalReceived":
    case "eventReceived":
    case "updateAccepted":
    case "updateAnswered":
    case "customEventEmitted":
    case undefined:
      break;
  }
}

type NodeEvent = Extract<
  ExecutionEvent["event"],
  {
    case:
      | "taskScheduled"
      | "taskCompleted"
      | "taskFailed"
      | "waitStarted"
      | "childStarted"
      | "machineRequested"
      | "machineAcknowledged"
      | "nodeCompleted"
      | "nodeFailed"
      | "nodeSkipped"
      | "nodeCanceled"
      | "errorHandled"
      | "mapStarted";
  }
>;

function applyToNode(node: NodeView, event: NodeEvent, at: number): void {
  switch (event.case) {
    case "taskScheduled":
      node.status = NodeStatus.SCHEDULED;
      node.attempt = event.value.attempt;
      node.startedAtMs ??= at;
      node.dueAtMs = undefined;
      break;
    case "taskCompleted":
      node.attempt = event.value.attempt;
      node.worker = event.value.worker || undefined;
      node.failure = undefined;
      endNode(node, NodeStatus.COMPLETED, at);
      break;
    case "taskFailed":
      node.attempt = event.value.attempt;
      node.worker = event.value.worker || undefined;
      node.failure = event.value.failure;
      // Without a next attempt `nodeFailed` follows and says the rest.
      if (event.value.retryAtMs === 0n) return;
      node.status = NodeStatus.BACKING_OFF;
      node.dueAtMs = Number(event.value.retryAtMs);
      break;
    case "waitStarted":
      node.status = NodeStatus.WAITING;
      node.startedAtMs ??= at;
      node.dueAtMs = event.value.dueAtMs === 0n ? undefined : Number(event.value.dueAtMs);
      node.signal = event.value.signal || undefined;
      node.signalKey = event.value.key || undefined;
      node.event = event.value.event || undefined;
      break;
    case "childStarted":
      node.status = NodeStatus.WAITING;
      node.startedAtMs ??= at;
      node.childId = event.value.childId;
      break;
    case "machineRequested":
      node.status = NodeStatus.WAITING;
      node.startedAtMs ??= at;
      break;
    case "machineAcknowledged":
      node.machineId = event.value.machineId;
      break;
    case "nodeCompleted":
      endNode(node, NodeStatus.COMPLETED, at);
      break;
    case "nodeFailed":
      node.failure = event.value.failure;
      endNode(node, NodeStatus.FAILED, at);
      break;
    case "nodeSkipped":
      node.skipReason = event.value.reason;
      endNode(node, NodeStatus.SKIPPED, at);
      break;
    case "nodeCanceled":
      endNode(node, NodeStatus.CANCELED, at);
      break;
    case "mapStarted":
      node.status = NodeStatus.WAITING;
      node.startedAtMs ??= at;
      node.map = { count: countOf(event.value.items), running: 0, succeeded: 0, failed: 0 };
      break;
    case "errorHandled":
      node.failure = event.value.failure;
      if (event.value.action === "fallback" || event.value.action === "incident") {
        node.status = NodeStatus.WAITING;
        node.dueAtMs = undefined;
        node.humanTaskId = undefined;
      } else {
        endNode(node, event.value.action === "skip" ? NodeStatus.SKIPPED : NodeStatus.COMPLETED, at);
      }
  }
}

type AskEvent = Extract<
  ExecutionEvent["event"],
  {
    case: "humanTaskCreated" | "humanTaskClaimed" | "humanTaskReleased" | "humanTaskReassigned" | "humanTaskEscalated";
  }
>;

function askPeople(node: NodeView, event: AskEvent, at: number): void {
  switch (event.case) {
    case "humanTaskClaimed":
      node.asks = event.value.by;
      break;
    case "humanTaskReleased":
      node.asks = undefined;
      break;
    case "humanTaskCreated":
    case "humanTaskEscalated":
      if (event.case === "humanTaskCreated") node.humanTaskId = event.value.taskId;
      node.status = NodeStatus.WAITING;
      node.startedAtMs ??= at;
      node.dueAtMs = event.value.dueAtMs === 0n ? undefined : Number(event.value.dueAtMs);
      node.asks = event.value.assignee || event.value.groups.join(", ") || undefined;
      break;
    case "humanTaskReassigned":
      node.asks = event.value.assignee || event.value.groups.join(", ") || undefined;
  }
}

function startItem({ map }: NodeView): void {
  if (map !== undefined) map.running += 1;
}

function endItem({ map }: NodeView, outcome: string): void {
  if (map === undefined) return;
  map.running -= 1;
  if (outcome === "succeeded") map.succeeded += 1;
  if (outcome === "failed") map.failed += 1;
}

/** Of a list or a range; 0 when a long list is not in the event itself. */
function countOf(items: Payload | undefined): number {
  if (items?.form.case !== "json") return 0;
  const value = JSON.parse(items.form.value) as unknown[] | { count: number };
  return Array.isArray(value) ? value.length : value.count;
}

/** Everything inside begins afresh. */
function startTurn(view: ExecutionView, node: NodeView, { turn, dueAtMs }: TurnStarted, at: number): void {
  node.status = NodeStatus.WAITING;
  node.turn = turn;
  node.startedAtMs ??= at;
  if (dueAtMs !== 0n) node.dueAtMs = Number(dueAtMs);
  if (turn === 0) return;
  for (const inside of nodesInside(view, node)) beginAfresh(inside);
}

function beginAfresh(node: NodeView): void {
  Object.assign(node, { status: NodeStatus.PENDING, reused: undefined, ...NOT_BEGUN });
}

const REUSED_STATUS: Readonly<Record<string, NodeStatus>> = {
  completed: NodeStatus.COMPLETED,
  failed: NodeStatus.FAILED,
  skipped: NodeStatus.SKIPPED,
  canceled: NodeStatus.CANCELED,
};

function reuseNode(node: NodeView, event: NodeReused): void {
  const { status, attempt, skipReason, worker, childId, machineId, itemCounts } = event;
  node.status = REUSED_STATUS[status] ?? NodeStatus.UNSPECIFIED;
  node.attempt = attempt;
  node.reused = true;
  node.skipReason = skipReason || undefined;
  node.worker = worker || undefined;
  node.childId = childId || undefined;
  node.machineId = machineId || undefined;
  node.map = itemCounts && { ...itemCounts, running: 0 };
}

const NOT_BEGUN = {
  startedAtMs: undefined,
  endedAtMs: undefined,
  dueAtMs: undefined,
  signal: undefined,
  failure: undefined,
  skipReason: undefined,
};

/** Those that stand deeper and follow: the outline puts a body below its group or loop. */
function nodesInside({ nodes }: ExecutionView, { id, depth }: NodeView): NodeView[] {
  const all = [...nodes.values()];
  const after = all.slice(all.findIndex((node) => node.id === id) + 1);
  const end = after.findIndex((node) => node.depth <= depth);
  return end < 0 ? after : after.slice(0, end);
}

/** A node that the snapshot did not name: shown at the end rather than lost. */
function nodeOf(view: ExecutionView, id: string): NodeView {
  const found = view.nodes.get(id);
  if (found !== undefined) return found;
  const node: NodeView = { id, kind: "", depth: 0, status: NodeStatus.PENDING, attempt: 0 };
  view.nodes.set(id, node);
  return node;
}

function endNode(node: NodeView, status: NodeStatus, at: number): void {
  node.status = status;
  node.endedAtMs = at;
  node.dueAtMs = undefined;
}

function end(view: ExecutionView, status: ExecutionStatus, at: number): void {
  view.status = status;
  view.endedAtMs = at;
}

/** Undefined for an absent time. */
export function toMs(timestamp: Timestamp | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  return Number(timestamp.seconds) * 1_000 + timestamp.nanos / 1_000_000;
}
