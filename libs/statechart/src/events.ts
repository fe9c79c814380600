import type { Failure, Json, JsonObject } from "@heddle/engine";
import type { ChartInvocation, LogLevel, TimerPolicy } from "./chart-document.ts";

/**
 * What happened. History, journal and Kafka carry exactly these. `at` is in milliseconds since the epoch. States are named
 * by their ids, so that a history can be read without its chart.
 */
export type MachineEvent =
  | MachineCreated
  | EventReceived
  | Microstep
  /** An event from outside enabled nothing, or came too late. */
  | { type: "event_dropped"; at: number; name: string; reason: string; requestId: string }
  /** An event waits: it enabled nothing and the policy is `queue`, or the machine is suspended. */
  | { type: "event_queued"; at: number; name: string; data: Json; requestId: string; because: "deferred" | "suspended" }
  | {
      type: "invocation_started";
      at: number;
      state: string;
      invokeId: string;
      kind: ChartInvocation["kind"];
      token: number;
      input: Json;
    }
  /** It runs outside, under this id: an execution's or a machine's. */
  | { type: "invocation_acknowledged"; at: number; token: number; startedId: string }
  /** Its result is in the `event_received` that follows. */
  | { type: "invocation_ended"; at: number; invokeId: string; token: number; outcome: "completed" | "failed" }
  /** Someone outside has taken a message, or the end of an invocation. */
  | { type: "message_acknowledged"; at: number; messageId: number }
  | { type: "cancellation_acknowledged"; at: number; token: number }
  /** A top-level final state was reached. The exit actions of all states have run; what they did is in it. */
  | { type: "machine_finished"; at: number; output: Json; effects: Effect[]; assigned?: JsonObject }
  | { type: "machine_failed"; at: number; failure: Failure }
  | { type: "machine_suspended"; at: number; reason: string }
  | { type: "machine_resumed"; at: number; reason: string }
  | { type: "machine_deleted"; at: number; reason: string }
  | MachineMigrated;

export interface MachineCreated {
  type: "machine_created";
  at: number;
  namespace: string;
  workflowId: string;
  version: number;
  /** The business key; empty when there is none. */
  key: string;
  /** The caller's idempotency key; empty when there is none. */
  requestId: string;
  labels: Record<string, string>;
  context: JsonObject;
  /** Who waits for its end: an execution's node, or a machine's invocation. */
  parent?: MachineParent;
  traceparent?: string;
}

/** From here on the machine runs another version: states are named as that one names them. */
export interface MachineMigrated {
  type: "machine_migrated";
  at: number;
  /** Of the machine: a replay must find the new chart by the event alone. */
  namespace: string;
  workflowId: string;
  version: number;
  /** All active states, in document order. */
  configuration: string[];
  /** Old names of states to new ones, where they differ. */
  renamed: Record<string, string>;
  /** Timers and invocations that the new version has no place for. */
  canceledTimers: string[];
  canceledInvocations: string[];
  /** What history states stand for. */
  history: Record<string, string[]>;
  /** Late binding: states that have their data. */
  initialized: string[];
}

export interface MachineParent {
  kind: "execution" | "machine";
  id: string;
  /** Node or invocation. */
  name: string;
  /** Machines: which run of the invocation. */
  token?: number;
}

/** The machine begins a macrostep with an event from its external queue. */
export interface EventReceived {
  type: "event_received";
  at: number;
  name: string;
  data: Json;
  requestId: string;
  source:
    | { kind: "outside" }
    /** First of the machine's own queue. */
    | { kind: "queue" }
    /** The deferred event at this position. */
    | { kind: "deferred"; position: number }
    | { kind: "timer"; timerId: string }
    | { kind: "invocation"; invokeId: string };
}

/** Transitions that were taken together. SCXML: microstep. */
export interface Microstep {
  type: "microstep";
  at: number;
  /** What enabled it; empty for eventless transitions and for the first entry. */
  event: string;
  /** In the order in which they were left and entered. */
  exited: string[];
  entered: string[];
  /** Fields of the context that got a new value. */
  assigned?: JsonObject;
  effects: Effect[];
}

/** What actions did besides, in order. */
export type Effect =
  | {
      type: "timer_set";
      timerId: string;
      dueAt: number;
      durationMs: number;
      policy: TimerPolicy;
      event: string;
      data: Json;
      /** The state that it belongs to: a delayed transition. It ends with the state. */
      state?: string;
      /** Of a delayed send: what `cancel` knows it by. */
      sendId?: string;
    }
  | { type: "timer_canceled"; timerId: string }
  /** To the machine's own external queue. */
  | { type: "event_sent"; name: string; data: Json; sendId: string }
  /** To someone else; it is repeated until that one has taken it. */
  | { type: "message_sent"; messageId: number; target: MessageTarget; name: string; data: Json; sendId: string }
  | { type: "logged"; level: LogLevel; message: string }
  /** An action, a guard or an invocation could not be evaluated; an `error.execution` went to the internal queue. */
  | { type: "error"; path: string; message: string };

export type MessageTarget =
  | { kind: "parent" }
  | { kind: "invocation"; invokeId: string; token: number }
  | { kind: "machine"; machineId?: string; workflowId?: string; key?: string }
  | { kind: "execution"; executionId: string };
