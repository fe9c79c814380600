import type { ExecutionStarted, Failure, SkipReason } from "./events.ts";
import type { Json } from "./json.ts";

export type ExecutionStatus = "running" | "suspended" | "completed" | "failed" | "canceled";

export type NodeStatus =
  /** Not ready yet. */
  | "pending"
  /** Handed to the scheduler or running on a worker. */
  | "scheduled"
  /** An attempt failed; the next one waits for its time. */
  | "backing_off"
  /** A wait, or a sub-workflow under way, or a parallel whose branches run. */
  | "waiting"
  | "completed"
  | "failed"
  | "skipped"
  | "canceled";

export interface NodeState {
  status: NodeStatus;
  /** Attempts handed out so far; 0 before the first. */
  attempt: number;
  input?: Json;
  output?: Json;
  failure?: Failure;
  /** `backing_off`: time of the next attempt. `waiting`: end of the wait. Milliseconds since the epoch. */
  dueAt?: number;
  signal?: string;
  childId?: string;
  /** Switch only: indices of the activated nodes. */
  chosen?: number[];
  skipReason?: SkipReason;
  /** Of the first attempt, respectively of the end. */
  startedAt?: number;
  endedAt?: number;
  worker?: string;
}
/** The other fields of a state belong to `decide` and `evolve`: see execution-state.ts. */
export interface ExecutionHeader extends Omit<ExecutionStarted, "type" | "at"> {
  startedAt: number;
}
