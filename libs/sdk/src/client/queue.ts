import {
  WaitReasonKindSchema,
  WorkerStatusSchema,
  type ExplainWaitResponse,
  type Queue as QueueMessage,
  type Worker as WorkerMessage,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { TaskTypeSchema } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { enumName, plainTime } from "./plain.ts";

/** A process that runs tasks, as the scheduler sees it. */
export interface ConnectedWorker {
  workerId: string;
  namespace: string;
  status: "connected" | "draining" | "lost";
  /** `tool:<name>` and `agent:<name>`. */
  capabilities: string[];
  slots: number;
  running: number;
  labels: Record<string, string>;
  client: string;
  connectedAt?: Date;
  lastSeenAt?: Date;
  /** Since this scheduler started. */
  completed: number;
  /** Since this scheduler started: results with old tokens or of attempts that were over. */
  refused: number;
}

/** The tasks for one tool or agent. */
export interface Queue {
  type: "tool" | "agent";
  name: string;
  waiting: number;
  running: number;
  freeSlots: number;
  workers: number;
  /** When the task that waits longest was scheduled; absent when none waits. */
  oldestScheduledAt?: Date;
}

/** Why a task does not run yet. */
export interface WaitExplanation {
  taskId: string;
  running: boolean;
  /** The strongest first; empty when it runs. */
  reasons: { kind: WaitReasonKind; message: string }[];
  /** Its place among the tasks that could run on the same workers, from 1. */
  rank: number;
}

export type WaitReasonKind =
  | "no_worker"
  | "no_free_slot"
  | "concurrency_limit"
  | "rate_limit"
  | "breaker_open"
  | "recovery_window";

export function plainWorker(message: WorkerMessage): ConnectedWorker {
  const { workerId, namespace, capabilities, slots, running, labels, client, completed, refused } = message;
  return {
    workerId,
    namespace,
    status: enumName(WorkerStatusSchema, message.status),
    capabilities,
    slots,
    running,
    labels,
    client,
    connectedAt: plainTime(message.connectedAt),
    lastSeenAt: plainTime(message.lastSeenAt),
    completed: Number(completed),
    refused: Number(refused),
  };
}

export function plainQueue(message: QueueMessage): Queue {
  const { name, waiting, running, freeSlots, workers, oldestScheduledAt } = message;
  return {
    type: enumName(TaskTypeSchema, message.type),
    name,
    waiting: Number(waiting),
    running: Number(running),
    freeSlots: Number(freeSlots),
    workers,
    oldestScheduledAt: plainTime(oldestScheduledAt),
  };
}

export function plainExplanation({ taskId, running, reasons, rank }: ExplainWaitResponse): WaitExplanation {
  return {
    taskId,
    running,
    reasons: reasons.map(({ kind, message }) => ({ kind: enumName(WaitReasonKindSchema, kind), message })),
    rank: Number(rank),
  };
}
