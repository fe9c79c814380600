import type { ExecutionStarted, Failure, SkipReason } from "./events.ts";
import type { Json } from "./json.ts";

export type ExecutionStatus = "running" | "suspended" | "completed" | "failed" | "canceled";

export type NodeStatus =
  /** Not ready yet, or ready and held back by a suspension. */
  | "pending"
  /** Handed to the scheduler or running on a worker. */
  | "scheduled"
  /** An attempt failed; the next one waits for its time. */
  | "backing_off"
  /** A wait, or a sub-workflow or state machine under way, or a parallel whose branches run. */
  | "waiting"
  | "completed"
  | "failed"
  | "skipped"
  | "canceled";

export interface NodeState {
  status: NodeStatus;
  /** Attempts handed out so far; 0 before the first. */
  attempt: number;
  /** Of a task or a child, once it was handed out. */
  input?: Json;
  output?: Json;
  /** The last one; during a back-off and the attempt after it the one of the attempt before. */
  failure?: Failure;
  /**
   * `backing_off`: time of the next attempt. `waiting`: end of the wait. Milliseconds since the epoch.
   * A canceled node keeps it: a task that was canceled during a back-off has no attempt that could be stopped.
   */
  dueAt?: number;
  signal?: string;
  childId?: string;
  /** State machine: its id, once it exists and has its events. */
  machineId?: string;
  /** Switch: indices of the activated nodes. Parallel with `wait_all: false`: the branch that completed first. */
  chosen?: number[];
  /** Index of the switch or parallel that activated this node first. */
  activatedBy?: number;
  skipReason?: SkipReason;
  /** Of the first attempt, or of the wait. */
  startedAt?: number;
  endedAt?: number;
  worker?: string;
}

/** What a start said. The other fields of a state belong to `decide` and `evolve`: see execution-state.ts. */
export interface ExecutionHeader extends Omit<ExecutionStarted, "type" | "at"> {
  startedAt: number;
}
