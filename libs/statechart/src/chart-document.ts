import type { Json, JsonObject } from "@heddle/engine";

/**
 * The compiled form of a state machine's definition: what `definition` publishes and `statemachine` runs. It is plain
 * JSON; `linkChart` turns it into the indexed form with compiled expressions. It is validated once, at publish.
 */
export interface ChartDocument {
  format: "heddle.chart/1";
  workflowId: string;
  type: "state_machine";
  name?: string;
  description?: string;
  labels?: Record<string, string>;
  /** JSON Schema (2020-12) of what a creation may set of the context. */
  inputSchema?: JsonObject;
  /** `early`: all data is made at creation. `late`: that of a state when it is first entered. SCXML 5.3.3. */
  binding: "early" | "late";
  /**
   * In document order, parents before their children. The first is the root: a compound state without a name that is never left.
   * A state refers to others by their index in this list.
   */
  states: ChartState[];
  /** What happens to an event from outside that enables no transition. SCXML knows `drop` only. */
  unexpectedEvents: "drop" | "refuse" | "queue";
  /** Template of the machine's output; without it the done data of the final state that ended it. */
  output?: Json;
  /** Agents that the definition itself declares, by id. */
  agents?: Record<string, JsonObject>;
}

export interface ChartState {
  /** Unique in the chart; empty for the root. */
  id: string;
  kind: "atomic" | "compound" | "parallel" | "final" | "history";
  /** Index of the parent; -1 for the root. */
  parent: number;
  /** Compound: where a transition to it leads. History: its default. SCXML 3.6, 3.10. */
  initial?: InitialTransition;
  /** Of a history state. */
  history?: "shallow" | "deep";
  /** In document order. Those without events are taken when nothing else is enabled first. */
  transitions: ChartTransition[];
  /** Blocks of actions: an error ends its block, not the others. SCXML 3.8, 5.12. */
  onEnter: ChartAction[][];
  onExit: ChartAction[][];
  /** Data of this state, by name: templates. The root's is the machine's context. */
  data?: JsonObject;
  invocations: ChartInvocation[];
  /** What the machine hears of executions while the state is active. */
  subscriptions?: ChartSubscription[];
  /** Of a final state: template of the data of its done event. */
  doneData?: Json;
}

export interface InitialTransition {
  /** Descendants of the state, at most one for each region. */
  targets: number[];
  actions: ChartAction[];
}

export interface ChartTransition {
  /**
   * Event descriptors: `a.b` matches `a.b` and `a.b.c`, `*` everything. Empty together with `delay` absent: eventless.
   * SCXML 3.12.1.
   */
  events: string[];
  /** Expression source; an error counts as false. */
  guard?: string;
  /** Empty: the configuration stays, and only the actions run. */
  targets: number[];
  /** Does not leave its compound source when all targets are inside of it. SCXML 3.5. */
  internal: boolean;
  actions: ChartAction[];
  /** Taken so long after its source was entered: milliseconds, or a template that gives them or a text like `5m`. It has no events then. */
  delay?: number | string;
  /** What happens to the delay while the machine is suspended. */
  delayPolicy?: TimerPolicy;
}

/**
 * What a pending timer does about the time for which its machine was suspended. `absolute`: nothing, it is due when it was.
 * `remaining`: it waits for what was left. `restart`: it waits for its whole duration again.
 */
export type TimerPolicy = "absolute" | "remaining" | "restart";

/** Executable content. SCXML 4, 5.4, 6.2. */
export type ChartAction =
  | { action: "raise"; event: string; data?: Json }
  | {
      action: "send";
      /** Template of the event's name. */
      event: Json;
      data?: Json;
      /** Milliseconds, or a template that gives them or a text like `5m`. Only for the machine itself. */
      delay?: number | string;
      /** Template of the id by which `cancel` finds it; absent: a name is made. */
      sendId?: Json;
      /** Field of the context that gets the id. */
      idLocation?: string;
      target: SendTarget;
      delayPolicy?: TimerPolicy;
    }
  | { action: "cancel"; sendId: Json }
  | { action: "assign"; values: { location: string; value: Json }[] }
  | { action: "log"; message: Json; level: LogLevel }
  | { action: "if"; branches: { condition: string; actions: ChartAction[] }[]; otherwise: ChartAction[] }
  | { action: "foreach"; items: string; item: string; index?: string; actions: ChartAction[] };

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Templates give the names of others. */
export type SendTarget =
  /** The machine's own external queue. */
  | { kind: "self" }
  /** The machine's internal queue, as `raise`. */
  | { kind: "internal" }
  /** Who invoked the machine. */
  | { kind: "parent" }
  /** What this machine invoked: an event for a machine, a signal for a workflow. */
  | { kind: "invocation"; invokeId: Json }
  | { kind: "machine"; machineId?: Json; workflowId?: Json; key?: Json }
  | { kind: "execution"; executionId: Json };

/** Something that runs while a state is active. SCXML 6.4. */
export interface ChartInvocation {
  /** Unique in the chart; events are called `done.invoke.<id>`, `error.invoke.<id>`, `progress.invoke.<id>`. */
  id: string;
  kind: "workflow" | "tool" | "agent" | "machine";
  /** Name of the tool or agent, id of the workflow. */
  name: string;
  version?: number;
  /** Template. */
  input?: Json;
  /** The agent's own description, when the definition declares it. */
  agent?: JsonObject;
  /** Actions on each event from the invocation, before transitions are selected. SCXML 6.5. */
  finalize: ChartAction[];
  /** Events from outside are passed on to it as well. */
  autoForward: boolean;
  timeoutMs?: number;
  retry?: { maxAttempts: number; initialIntervalMs: number; backoff: number; maxIntervalMs: number; jitter: number };
}

/** The ends of executions of a workflow that become events of the machine. */
export interface ChartSubscription {
  workflowId: string;
  statuses: ("completed" | "failed" | "canceled")[];
  /** Templates over `machine` alone: only executions that have all of these labels are heard of. */
  labels?: Record<string, string>;
  /** What the event is called; default `execution.<status>`. */
  event?: string;
}
