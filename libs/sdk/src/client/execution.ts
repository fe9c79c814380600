import {
  ExecutionStatusSchema,
  NodeStatusSchema,
  type Execution as ExecutionMessage,
  type NodeExecution as NodeMessage,
} from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Json, JsonObject } from "../json.ts";
import { enumName, plainFailure, plainTime, plainValue, type Failure } from "./plain.ts";

export type ExecutionStatus = "running" | "suspended" | "completed" | "failed" | "canceled";

export type NodeStatus =
  | "pending"
  | "scheduled"
  | "backing_off"
  | "waiting"
  | "completed"
  | "failed"
  | "skipped"
  | "canceled";

/** One run of a workflow version. */
export interface Execution {
  executionId: string;
  namespace: string;
  workflowId: string;
  version: number;
  status: ExecutionStatus;
  /** Absent in lists. */
  input?: JsonObject;
  /** Set once it is completed; absent in lists. */
  output?: Json;
  /** Why it failed or was canceled. */
  failure?: Failure;
  /** The caller's idempotency key; may be empty. */
  requestId: string;
  labels: Record<string, string>;
  /** Business key; may be empty. */
  workflowKey: string;
  /** What it is found by. */
  searchAttributes: SearchAttributes;
  /** 0 (first) to 9 (last). */
  priority: number;
  /** For a child: the node that waits for it. */
  parent?: { executionId: string; nodeId: string };
  /** For what a state machine has invoked: the machine, and the id of the invocation in its definition. */
  origin?: { kind: "machine"; id: string; name: string };
  startedAt?: Date;
  endedAt?: Date;
  /** Number of the last event of its history. */
  lastSeq: number;
  /** Nodes that have failed and wait for a person. */
  openIncidents: number;
  /** In document order; empty in lists. */
  nodes: NodeExecution[];
}

export type SearchAttributes = Record<string, string | number | boolean | string[]>;

export interface NodeExecution {
  nodeId: string;
  status: NodeStatus;
  /** `task`, `action`, `switch`, `parallel`, `aggregation`, `sub_workflow` or `state_machine`. */
  kind: string;
  /** Attempts so far; 0 before the first. */
  attempt: number;
  input?: Json;
  output?: Json;
  failure?: Failure;
  startedAt?: Date;
  endedAt?: Date;
  /** When its next attempt is due, or its wait ends. */
  dueAt?: Date;
  /** Name of the signal that it waits for; empty when it waits for none. */
  signal: string;
  /** Name of the event of another execution that it waits for; empty when it waits for none. */
  event: string;
  /** Key of that signal or event; empty when it waits for a signal without one, or for events of all keys. */
  signalKey: string;
  /** Execution that it started, for sub-workflows; else empty. */
  childId: string;
  /** State machine that it created; empty before that is known, and for other kinds. */
  machineId: string;
  /** Worker that ran its last attempt, or runs it; empty when none does. */
  worker: string;
  /** `condition`, `not_chosen` or `dependency_skipped`; empty when it was not skipped. */
  skipReason: string;
  /** Human node that waits: id of its task; empty otherwise. */
  humanTaskId: string;
  /** Human node that waits: who is to answer; empty: nobody yet. */
  assignee: string;
  /** Human node that waits: whose members may take its task. */
  groups: string[];
}

const FINAL: ReadonlySet<ExecutionStatus> = new Set(["completed", "failed", "canceled"]);

export function isFinished({ status }: Execution): boolean {
  return FINAL.has(status);
}

export function plainExecution(message: ExecutionMessage): Execution {
  const { executionId, namespace, workflowId, version, requestId, labels, priority, input, parent } = message;
  return {
    executionId,
    namespace,
    workflowId,
    version,
    status: enumName(ExecutionStatusSchema, message.status),
    ...(input && { input }),
    ...(message.output && { output: plainValue(message.output) }),
    ...(message.failure && { failure: plainFailure(message.failure) }),
    requestId,
    labels,
    workflowKey: message.workflowKey,
    searchAttributes: (message.searchAttributes ?? {}) as SearchAttributes,
    priority,
    ...(parent && { parent: { executionId: parent.executionId, nodeId: parent.nodeId } }),
    ...(message.origin && { origin: { kind: "machine", id: message.origin.id, name: message.origin.name } }),
    startedAt: plainTime(message.startedAt),
    endedAt: plainTime(message.endedAt),
    lastSeq: Number(message.lastSeq),
    openIncidents: message.openIncidents,
    nodes: message.nodes.map(plainNode),
  };
}

function plainNode(message: NodeMessage): NodeExecution {
  const { nodeId, kind, attempt, signal, event, signalKey, childId, machineId, worker, skipReason } = message;
  return {
    nodeId,
    status: enumName(NodeStatusSchema, message.status),
    kind,
    attempt,
    ...(message.input && { input: plainValue(message.input) }),
    ...(message.output && { output: plainValue(message.output) }),
    ...(message.failure && { failure: plainFailure(message.failure) }),
    startedAt: plainTime(message.startedAt),
    endedAt: plainTime(message.endedAt),
    dueAt: plainTime(message.dueAt),
    signal,
    event,
    signalKey,
    childId,
    machineId,
    worker,
    skipReason,
    humanTaskId: message.humanTaskId,
    assignee: message.assignee,
    groups: message.groups,
  };
}
