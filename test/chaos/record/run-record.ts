import type { Execution } from "@heddle/sdk";
import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { ExecutionPlan } from "../workload/plan-executions.ts";
import type { Program } from "../workload/program.ts";
import type { Effect } from "./effects.ts";

/** A start that was answered: it must never be lost. */
export interface Acknowledgement {
  requestId: string;
  executionId: string;
}

/** How a cancel was answered. `finished`: it came too late, as the execution had ended by itself. */
export type CancelAnswer = "canceled" | "finished";

/** What an independent consumer read from the topic of ExecutionEvent, in the order of the topic's partitions. */
export interface PublishedEvent {
  /** CloudEvents id, from the header. */
  id: string;
  /** Key of the record. */
  key: string;
  partition: number;
  event: ExecutionEvent;
}

/** What a scheduler said at the end of one of its queues. */
export interface QueueAtEnd {
  name: string;
  waiting: number;
  running: number;
}

/** What a scheduler said at the end of one of its workers. */
export interface WorkerAtEnd {
  workerId: string;
  running: number;
}

/** A message that a consumer could not handle. */
export interface SetAside {
  group: string;
  topic: string;
  key: string;
  error: string;
}

/** What became of messages that nobody can read. */
export interface PoisonAtEnd {
  /** Keys of those that faults have put into the topic. */
  planted: readonly string[];
  /** Groups that consume the topic. */
  groups: readonly string[];
  setAside: readonly SetAside[];
}

/** What one check of `heddle doctor` found. */
export interface DoctorFinding {
  id: string;
  looked: number;
  findings: readonly string[];
}

/** Everything that is known of a run when it is over, from outside of the engine and from its public interface. */
export interface RunRecord {
  /** By `<workflow id>@<version>`. */
  programs: ReadonlyMap<string, Program>;
  plans: readonly ExecutionPlan[];
  acknowledged: readonly Acknowledgement[];
  /** By execution id; only those whose cancel was answered. */
  cancels: ReadonlyMap<string, CancelAnswer>;
  /** Calls that were not answered in the end, in words. */
  unanswered: readonly string[];
  /** What ListExecutions gives, children included. */
  listed: readonly Execution[];
  /** What GetExecution gives, by id. */
  executions: ReadonlyMap<string, Execution>;
  /** What ListHistory gives, by id. */
  histories: ReadonlyMap<string, readonly ExecutionEvent[]>;
  effects: readonly Effect[];
  /** Slots that each worker was started with. */
  slots: number;
  /** Absent when nobody consumed. */
  published?: readonly PublishedEvent[];
  queues: readonly QueueAtEnd[];
  workers: readonly WorkerAtEnd[];
  poison: PoisonAtEnd;
  doctor: readonly DoctorFinding[];
}

export function programKey(workflowId: string, version: number): string {
  return `${workflowId}@${version}`;
}
