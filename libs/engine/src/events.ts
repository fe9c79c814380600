import type { AttributeValue, Attributes } from "./attributes.ts";
import type { HumanEvent } from "./human-events.ts";
import type { Json, JsonObject } from "./json.ts";
import type { ItemCounts, MapItems } from "./map-items.ts";

/** A failure as data. `type` is for programs (retry classes, handlers), `message` for people. */
export interface Failure {
  /** E.g. `timeout`, `heartbeat_timeout`, `expression`, `http_error`, `canceled`, or the worker's own. */
  type: string;
  message: string;
  /** false: the worker says that a further attempt is useless. Default true. */
  retryable?: boolean;
  /** true: a business exception, which the process has to answer; nothing is broken. Retried only where a rule asks for it. */
  business?: boolean;
  /** The worker's own delay before the next attempt (Retry-After), milliseconds; replaces the computed interval when longer. */
  retryAfterMs?: number;
  /** Id of the node that failed, when the failure comes from a node. */
  nodeId?: string;
  details?: Json;
}

/**
 * What happened. History, journal and Kafka carry exactly these. `at` is in milliseconds since the epoch.
 * A node is named by its id, so that a history can be read without its plan.
 */
export type Event =
  | ExecutionStarted
  | HumanEvent
  | { type: "execution_completed"; at: number; output: Json }
  | { type: "execution_failed"; at: number; failure: Failure }
  | { type: "execution_canceled"; at: number; reason: string; terminated?: true }
  | { type: "execution_suspended"; at: number; reason: string }
  | { type: "execution_resumed"; at: number; reason: string }
  | { type: "signal_received"; at: number; name: string; key?: string; payload: Json; requestId: string }
  /**
   * An update was accepted: `set` are the variables that it has set. With `signal` its payload is a signal as well. The reply follows,
   * at once or when the node `after` is settled.
   */
  | {
      type: "update_accepted";
      at: number;
      name: string;
      requestId: string;
      payload: Json;
      set?: JsonObject;
      signal?: string;
      key?: string;
      after?: string;
    }
  /** Exactly one of both: the reply, or why there is none. */
  | { type: "update_answered"; at: number; name: string; requestId: string; reply?: Json; failure?: Failure }
  /**
   * An attempt was handed to the scheduler. The input is recorded with the first one only; the retries have the same. In a
   * loop the attempts of all turns are counted together.
   */
  | { type: "task_scheduled"; at: number; nodeId: string; attempt: number; input?: Json }
  | {
      type: "task_completed";
      at: number;
      nodeId: string;
      attempt: number;
      output: Json;
      startedAt: number;
      worker: string;
    }
  /** An attempt failed. With `retryAt` another attempt follows at that time; without, `node_failed` follows. */
  | {
      type: "task_failed";
      at: number;
      nodeId: string;
      attempt: number;
      failure: Failure;
      retryAt?: number;
      startedAt?: number;
      worker?: string;
      /** The engine has ended it, and a worker may still be at it. */
      stopped?: boolean;
    }
  /**
   * A wait began: until `dueAt`, or for a signal, of a key or of none, or both. With neither: a parallel began, activated its
   * branches and waits for them.
   */
  | { type: "wait_started"; at: number; nodeId: string; dueAt?: number; signal?: string; event?: string; key?: string }
  /** An event of another execution has come that a node waits for; the node's end follows. */
  | { type: "event_received"; at: number; nodeId: string; event: BusEvent }
  | {
      type: "child_started";
      at: number;
      nodeId: string;
      childId: string;
      workflowId: string;
      version?: number;
      input: Json;
      /** The child undoes the steps of this execution, and does nothing else. */
      compensates?: string;
    }
  /** A state machine is to be created, and is waited for. */
  | {
      type: "machine_requested";
      at: number;
      nodeId: string;
      workflowId: string;
      version?: number;
      input: MachineInput;
    }
  /** It exists under this id, and has the events that the node sends. */
  | { type: "machine_acknowledged"; at: number; nodeId: string; machineId: string }
  /** A node that is not a task ended well: actions, switches, parallels, aggregations, waits, sub-workflows, state machines. `chosen`: the nodes that a switch activated. */
  | { type: "node_completed"; at: number; nodeId: string; output: Json; chosen?: string[] }
  /** A node ended badly, for good. */
  | { type: "node_failed"; at: number; nodeId: string; failure: Failure }
  /** A node has failed for good, and its definition says how to go on: without it, with this output, or with the node that is its fallback. */
  | { type: "error_handled"; at: number; nodeId: string; failure: Failure; outcome: ErrorOutcome }
  /** A person has said how to go on with a node that has failed. */
  | { type: "incident_resolved"; at: number; nodeId: string; resolution: IncidentResolution; reason: string }
  /** A map begins. */
  | { type: "map_started"; at: number; nodeId: string; items: MapItems }
  /** An item of a map is to be started. */
  | {
      type: "item_started";
      at: number;
      nodeId: string;
      index: number;
      childId: string;
      workflowId: string;
      version?: number;
      input: Json;
    }
  /** The output of an item whose map does not collect is null here: it is in the item's own execution. */
  | { type: "item_ended"; at: number; nodeId: string; index: number; end: ItemEnd }
  | { type: "node_skipped"; at: number; nodeId: string; reason: SkipReason }
  /** A node was stopped because the execution or its container ended, or, with a reason, because it was not needed any more. */
  | {
      type: "node_canceled";
      at: number;
      nodeId: string;
      reason?: "not_needed";
      /** The attempt that was under way, if any was. */
      attempt?: number;
      /** Of a node in a loop: how often it had begun afresh. */
      restarts?: number;
    }
  /** A turn of a loop began, or the only one of a group: all nodes of the body begin afresh. */
  | { type: "turn_started"; at: number; nodeId: string; turn: number; dueAt?: number; items?: Json[]; carry?: Json }
  /** A turn of a loop ended, and another one may follow. */
  | { type: "turn_ended"; at: number; nodeId: string; turn: number; result: Json }
  /** Of a rerun, right after its start: the node is as it was in the execution that is run again, and does not run. */
  | NodeReused
  /** Of a rerun: what `set` actions and, under an empty `nodeId`, updates had written there, in that order. */
  | { type: "vars_reused"; at: number; writes: { nodeId: string; fields: JsonObject }[] }
  /** Of a rerun: these items of a map that runs again had succeeded, `outputs` in the same order. They count where the map's list has the same items. */
  | { type: "items_reused"; at: number; nodeId: string; indices: number[]; items: Json[]; outputs: Json[] }
  /** These nodes begin afresh. What was under way among them was canceled before. */
  | { type: "execution_reset"; at: number; nodeIds: string[]; reason: string; requestId: string }
  /** Search attributes of the execution; null takes one away. The node's end follows. */
  | { type: "attributes_set"; at: number; nodeId: string; attributes: Record<string, AttributeValue | null> }
  | { type: "logged"; at: number; nodeId: string; level: "debug" | "info" | "warn" | "error"; message: string }
  /** The execution is to end this way. What runs is stopped, then steps are compensated, then `finally` runs, and the end's own event follows. */
  | { type: "execution_ending"; at: number; end: ExecutionEnd; dueAt?: number }
  /**
   * It was to be canceled while it was ending already: no suspension holds its end back any more, and that has until `dueAt`. Absent:
   * it had a time before, which stays. How it ends stays too.
   */
  | { type: "execution_ending_hastened"; at: number; reason: string; dueAt?: number }
  /**
   * The execution was to fail, and its definition says how it goes on: `continue`, it completes; `fallback`, this node runs, and its end is
   * the execution's. What runs is stopped. `dueAt`: when the time of the workflow is over, which counts afresh for the node.
   */
  | { type: "execution_error_handled"; at: number; failure: Failure; outcome: ExecutionErrorOutcome; dueAt?: number }
  /** A step that can be undone has completed. */
  | ({ type: "compensation_recorded"; at: number } & CompensationRecord)
  /** The step that completed last of those that are not undone yet is undone; the node is the one that does it. */
  | { type: "compensation_started"; at: number; nodeId: string }
  /** A child that was canceled as the execution was to end has ended: nothing of it goes on any more. */
  | { type: "child_ended"; at: number; nodeId: string; childId: string }
  /** The definition's own event, published with the execution's. */
  | { type: "custom_event_emitted"; at: number; nodeId: string; name: string; key?: string; payload: Json };

/** Everything of a node that others can still ask for. */
export interface NodeReused {
  type: "node_reused";
  at: number;
  nodeId: string;
  status: "completed" | "failed" | "skipped" | "canceled";
  output?: Json;
  failure?: Failure;
  /** It had failed, and its definition said how to go on all the same. */
  isHandled?: boolean;
  /** The node that ran in its place. */
  fallbackId?: string;
  skipReason?: SkipReason;
  /** What a switch activated, or which branches of a race completed. */
  chosen?: string[];
  /** Of a map, unless it was kept before histories said so. */
  itemCounts?: ItemCounts;
  attempt: number;
  childId?: string;
  machineId?: string;
  worker?: string;
  /** Absent: it had not begun. */
  startedAt?: number;
  endedAt?: number;
}

/** What a rerun repeats. */
export interface RerunOrigin {
  executionId: string;
  /** Nodes with which it begins; empty: from the start. */
  from: string[];
}

/** How an execution is to end. */
export type ExecutionEnd =
  | { outcome: "completed"; output: Json }
  | { outcome: "failed"; failure: Failure }
  | { outcome: "canceled"; reason: string };

/** A step that has completed and can be undone, with all that this needs, as it was then. */
export interface CompensationRecord {
  /** The step. */
  nodeId: string;
  /** What undoes it is called with this. */
  input?: Json;
  /** Instead: why the input could not be made. */
  failure?: Failure;
  /** Instead: the child whose own steps are to be undone. */
  childId?: string;
}

/** What a node gives to its state machine. */
export interface MachineInput {
  /** Business key. */
  key?: string;
  context: JsonObject;
  events: { event: string; data: Json }[];
}

/** What another execution has emitted, or what came from outside: then ids of execution and workflow are empty. */
export interface BusEvent {
  /** `<execution id>/<seq>`, or the one of a publication. */
  id: string;
  name: string;
  key?: string;
  payload: Json;
  executionId: string;
  workflowId: string;
  /** Milliseconds since the epoch. */
  occurredAt: number;
}

export type SkipReason = "condition" | "not_chosen" | "dependency_skipped" | "depends" | "error" | "not_needed";

/** How an item of a map ended. `canceled`: the map ended before. */
export type ItemEnd =
  | { outcome: "succeeded"; output: Json }
  | { outcome: "failed"; failure: Failure }
  | { outcome: "canceled" };

/** How an execution goes on after a node has failed. */
export type ErrorOutcome =
  | { action: "skip" }
  | { action: "continue"; output: Json }
  | { action: "fallback"; fallbackId: string }
  /** It waits for a person, who says how. */
  | { action: "incident" };

/** How an execution goes on that was to fail. */
export type ExecutionErrorOutcome = { action: "continue" } | { action: "fallback"; fallbackId: string };

/** What a person says of a node that waits with an incident. */
export type IncidentResolution =
  /** Once more, with the same input or another one. */
  { action: "retry"; input?: Json } | { action: "complete"; output: Json } | { action: "skip" } | { action: "fail" };

export interface ExecutionStarted {
  type: "execution_started";
  at: number;
  namespace: string;
  workflowId: string;
  version: number;
  input: JsonObject;
  /** The caller's idempotency key; empty when none was given. */
  requestId: string;
  /** Set for a child: who waits for it. */
  parent?: ParentOfExecution;
  /** Set when something other than an execution waits for its end; the core only keeps it. */
  origin?: ExecutionOrigin;
  /** Set for a rerun. */
  rerunOf?: RerunOrigin;
  /** It undoes the steps of another execution of the same version, and does nothing else. */
  compensates?: { executionId: string; records: CompensationRecord[] };
  /** Sub-workflows above it; absent for a start from outside. */
  depth?: number;
  priority: number;
  /** Free-form labels of the caller, for lists. */
  labels: Record<string, string>;
  /** Business key: at most one execution with it runs in a namespace. The core only keeps it. */
  workflowKey?: string;
  /** For searches; `attributes_set` changes them. */
  attributes?: Attributes;
  /** W3C traceparent of the start, so that spans of later steps hang together. */
  traceparent?: string;
}

export interface ParentOfExecution {
  executionId: string;
  nodeId: string;
  /** It goes on when the parent ends, or no longer waits. */
  outlives?: true;
}

/** What has started an execution and is none itself. */
export interface ExecutionOrigin {
  kind: "machine";
  /** Of the machine. */
  id: string;
  /** Id of the invocation in the machine's definition. */
  name: string;
  /** Which run of the invocation. */
  token: number;
}
