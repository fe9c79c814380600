import type { CompensationRecord, ExecutionEnd, Failure } from "./events.ts";
import type { HumanTaskState } from "./human-task.ts";
import type { Json, JsonObject } from "./json.ts";
import type { OpenIncident } from "./open-incident.ts";
import type { ExecutionHeader, ExecutionStatus, NodeState, NodeStatus } from "./state.ts";

/**
 * All that one execution is between two commands. Plain data: a snapshot is its JSON text. Only `evolve` writes to it.
 * Nodes are named by their index in the plan. Everything that a turn asks for is kept ready (counters, queue, heap), so
 * that no turn looks through all nodes.
 */
export interface ExecutionState extends ExecutionHeader {
  status: ExecutionStatus;
  output?: Json;
  failure?: Failure;
  /** The words of the last cancel, suspend or resume. */
  reason?: string;
  /** `at` of the last event, milliseconds since the epoch; time in a history never goes back. */
  updatedAt: number;
  endedAt?: number;
  /** When the whole execution times out; it runs on while suspended. */
  deadlineAt?: number;
  /** By index in the plan. */
  nodes: NodeState[];
  /** How many nodes have each status. */
  counts: Record<NodeStatus, number>;
  /** Nodes of the workflow itself that are not settled; the execution completes at 0. */
  openNodes: number;
  /**
   * By node: how many of its dependencies and activators are not settled. For a parallel that has begun: how many of its
   * branches are not, or -1 once that no longer matters.
   */
  unsettled: number[];
  /** Queue of the nodes that `decide` must look at, from `readyHead` on: ready ones, and parallels whose branches are decided. */
  ready: number[];
  readyHead: number;
  /** Heap of back-offs and waits: see timers.ts. */
  timers: number[];
  /** What was canceled and may not have been told yet, oldest first: see abandoned.ts. */
  abandoned?: Abandoned[];
  /** Of human nodes, oldest first: those that wait, and those that are over; of the turns of a loop only the last. */
  humanTasks?: HumanTaskState[];
  /** Items of all maps that run; absent: no map has begun. */
  activeItems?: number;
  /** Maps that could start an item if not so many ran already, in the order in which they began to wait. */
  heldMaps?: number[];
  /** Incidents that were opened, oldest first; some may be over: see `listOpenIncidents`. Absent: there has never been one. */
  incidents?: OpenIncident[];
  /** Fields written by `set` actions. */
  vars: JsonObject;
  /** What made `vars`: of each `set` action the last write, in the order of writing. */
  writes?: Write[];
  /** Signals that no wait has taken yet, oldest first. */
  signals: BufferedSignal[];
  /** Nodes that wait for a signal, in the order in which they began. */
  signalWaiters: number[];
  /** Request ids of the last signals, oldest first. */
  requestIds: string[];
  /** Events that waits have taken, as `<index of the node>/<id>`, oldest first: a turn of a loop takes none twice. */
  takenEvents?: string[];
  /** Updates, oldest first: those without an answer yet, and the last of the others. */
  updates?: UpdateState[];
  /** How many of them have no answer yet. */
  openUpdates?: number;
  /** About how much JSON updates have written to each variable. */
  updatedVars?: Record<string, number>;
  /** Steps that have completed and can be undone, in that order. They stay when the execution completes: its parent may have them undone. */
  compensations?: CompensationRecord[];
  /** Nodes of steps that were undone, or begun to be. */
  undone?: Record<string, true>;
  /** It was to fail with this, and its definition said how it goes on. */
  handledFailure?: Failure;
  /** Index of the node that runs because of it: its end is the execution's. */
  handling?: number;
  /** It is to end, and what must happen before is under way. */
  ending?: EndingState;
  /** It was ended at once, and so are its children. */
  isTerminated?: boolean;
  /** About how much JSON the execution holds: see payload-size.ts. */
  payloadBytes: number;
}

/** Where an execution stands between the decision that it ends and its end. */
export interface EndingState {
  end: ExecutionEnd;
  /** Children that were canceled and may still have something to undo themselves: by id, their nodes. */
  awaited?: Record<string, string>;
  /** The step that is undone now, or was last. */
  current?: CompensationRecord;
  /** Steps that could not be undone. */
  failed?: { nodeId: string; failure: Failure }[];
}

/** A child or state machine whose node has begun afresh since, or the item of a map. */
export interface Abandoned {
  /** Index in the plan. */
  node: number;
  /** How often the node had begun afresh then. */
  restarts: number;
  /** When it was canceled, milliseconds since the epoch. */
  at?: number;
  childId?: string;
  /** Of the item of a map. */
  itemIndex?: number;
  machineId?: string;
  /** Of a machine without an id. */
  input?: Json;
}

/** The fields that a `set` action has written. */
export interface Write {
  /** Index in the plan; -1: an update. */
  node: number;
  fields: JsonObject;
}

export interface UpdateState {
  requestId: string;
  name: string;
  /** Until it is answered. */
  payload?: Json;
  /** Index of the node whose end it waits for. */
  after?: number;
  reply?: Json;
  failure?: Failure;
}

export interface BufferedSignal {
  name: string;
  /** What it is about; absent: for the waits that ask for no key. */
  key?: string;
  payload: Json;
}

export function isFinished(state: ExecutionState): boolean {
  return state.status !== "running" && state.status !== "suspended";
}

/** Nodes that something outside works on or that wait: those that a cancel must stop. */
export function countActive(state: ExecutionState): number {
  return state.counts.scheduled + state.counts.backing_off + state.counts.waiting;
}

export function setStatus(state: ExecutionState, node: NodeState, status: NodeStatus): void {
  state.counts[node.status]--;
  state.counts[status]++;
  node.status = status;
}
