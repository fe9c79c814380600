import type { ExecutionStarted, Failure, SkipReason } from "./events.ts";
import type { Json } from "./json.ts";
import type { ItemCounts, MapItems } from "./map-items.ts";

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
   * `backing_off`: time of the next attempt. `waiting`: end of the wait, or of a group's or loop's time. `scheduled`: end of
   * the time of all attempts. Milliseconds since the epoch.
   */
  dueAt?: number;
  /** Of the last attempt, for tasks whose time in the queue is limited. */
  scheduledAt?: number;
  signal?: string;
  /** Name of the event that it waits for, or has waited for. */
  event?: string;
  /** Of that signal or event. */
  signalKey?: string;
  childId?: string;
  /** What its child undoes: another execution. */
  compensates?: string;
  /** State machine: its id, once it exists and has its events. */
  machineId?: string;
  /** Switch: indices of the activated nodes. Parallel with `wait_all: false`: the branches that completed, up to those it needs. */
  chosen?: number[];
  /** Group or loop that has begun. */
  turn?: TurnState;
  /** Map that has begun. */
  map?: MapState;
  /** It has failed, and the definition says how to go on all the same. */
  isHandled?: boolean;
  /** Index of the node that runs in its place since it has failed; INCIDENT: a person says how to go on. */
  fallback?: number;
  /** Parallel that has failed before it began: its branches need not wait for it. */
  isPassed?: boolean;
  /** Instead of its inputs: what the person gave who had it tried again. */
  mended?: Json;
  /** Its result is of the execution that this one runs again. */
  isReused?: boolean;
  /** Of a map that is kept: how its items had ended there. */
  itemCounts?: ItemCounts;
  /** Of a map that has not begun: items of the execution that this one runs again. */
  keptItems?: KeptItems;
  /** How often it has begun afresh; absent: never. */
  restarts?: number;
  /** Attempts of the times before: `attempt` goes on counting, so that no two attempts have the same number. */
  attemptsBefore?: number;
  /** Index of the switch or parallel that activated this node first. */
  activatedBy?: number;
  skipReason?: SkipReason;
  /** Of the first attempt, or of the wait. */
  startedAt?: number;
  endedAt?: number;
  worker?: string;
}

/** Where a group or loop stands. */
export interface TurnState {
  /** From 0. */
  index: number;
  /** Nodes of the body that are not settled. */
  open: number;
  /** Of `forEach`. */
  items?: Json[];
  carry?: Json;
  /** Of the last turn that has ended; of all of them, for a loop that collects. */
  result?: Json;
  /** The turn has ended, and what follows is not decided yet. */
  ended?: boolean;
}

/** Where a map stands. */
export interface MapState {
  items: MapItems;
  /** Index of the item that starts next. */
  next: number;
  active: ActiveItem[];
  succeeded: number;
  failed: number;
  /** By index, as far as items have ended; null for those without one. Absent: the map does not collect them. */
  outputs?: Json[];
  /** Length of the outputs as JSON text, in UTF-16 code units. */
  outputLength?: number;
  /** Indices of those that have failed or were canceled. */
  unsuccessful?: number[];
  /** Indices from `next` on that do not start because their outputs are known, descending. */
  reused?: number[];
  /** It stands in the queue of what `decide` must look at. */
  isQueued?: boolean;
  /** It waits until fewer items of the execution run. */
  isHeld?: boolean;
}

/** Items that had succeeded before, all three lists in the same order. */
export interface KeptItems {
  /** Ascending. */
  indices: number[];
  items: Json[];
  outputs: Json[];
}

export interface ActiveItem {
  index: number;
  childId: string;
  input: Json;
}

/** What a start said. The other fields of a state belong to `decide` and `evolve`: see execution-state.ts. */
export interface ExecutionHeader extends Omit<ExecutionStarted, "type" | "at" | "compensates"> {
  startedAt: number;
  /** The execution whose steps it undoes. */
  compensates?: string;
}
