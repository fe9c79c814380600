import type { Json, JsonObject } from "./json.ts";

/**
 * The compiled form of a definition: what `definition` publishes and `execution` runs. It is plain JSON, so that it
 * can be stored, hashed and sent; `linkPlan` turns it into the indexed form with compiled expressions.
 * It is validated once, at publish; the engine trusts it and refuses only an unknown `format`.
 */
export interface PlanDocument {
  format: "heddle.plan/1";
  workflowId: string;
  type: "dag";
  name?: string;
  description?: string;
  /** JSON Schema (2020-12) of the input; checked by the execution service at start. */
  inputSchema?: JsonObject;
  /** For lists and selectors of definitions. */
  labels?: Record<string, string>;
  /** In document order. A node refers to others by their index in this list. */
  nodes: PlanNode[];
  /** Template of the workflow's output; without it the output is an object of the outputs of the nodes that nothing depends on, by id. */
  output?: Json;
  /** Agents that the definition itself declares, by id. */
  agents?: Record<string, JsonObject>;
  /** From start to end of the whole execution, milliseconds; absent: unlimited. */
  timeoutMs?: number;
  /** 0 (first) to 9 (last); absent: 5. A start may override it. */
  priority?: number;
}

export type PlanNode =
  | TaskNode
  | ActionNode
  | SwitchNode
  | ParallelNode
  | AggregationNode
  | SubWorkflowNode
  | StateMachineNode;

export interface PlanNodeBase {
  id: string;
  name?: string;
  /** Nodes whose completion this one needs: declared and inferred from expressions, ascending, without duplicates. */
  dependencies: number[];
  /** Switch and parallel nodes that activate this one: it runs when at least one of them chose it, once all of them are settled. */
  activators: number[];
  /**
   * `all`: skipped as soon as one dependency is skipped. `any`: runs with those that completed, skipped when none did.
   * Aggregations default to `any`, everything else to `all`.
   */
  join: "all" | "any";
  /** Expression source without `${}`; the node is skipped when it gives false. */
  when?: string;
}

/** Dispatched to a worker through the scheduler. */
export interface TaskNode extends PlanNodeBase {
  kind: "task";
  /** What a worker must offer: a tool or an agent, by name. */
  taskType: "tool" | "agent";
  taskName: string;
  /** Template; evaluated once per attempt 1 and kept for the retries. */
  inputs?: Json;
  /** For agents that are declared inline or in the definition: the agent's own description travels with the task. */
  agent?: JsonObject;
  retry: RetryPolicy;
  /** Start to finish of one attempt, milliseconds; absent: unlimited. */
  timeoutMs?: number;
  /** A running attempt that is silent for longer fails; absent: only the worker's own lease counts. */
  heartbeatTimeoutMs?: number;
  /** 0 (first) to 9 (last); absent: the execution's. */
  priority?: number;
}

export interface RetryPolicy {
  /** Attempts in all, 1 to 100; 1 means no retry. */
  maxAttempts: number;
  initialIntervalMs: number;
  /** Factor between two intervals, 1 to 100. */
  backoff: number;
  maxIntervalMs: number;
  /** Fraction of the interval that is random, 0 to 1: the wait is drawn evenly from [(1 - jitter) x interval, interval]. */
  jitter: number;
  /** Error types that are final at once, compared to the type that the worker reported. */
  nonRetryable: string[];
}

/** Runs in the engine, without a worker. */
export type ActionNode = PlanNodeBase & { kind: "action" } & (
    | {
        action: "set" /** Template of an object; its fields become `vars`, and the node's output. */;
        params: JsonObject;
      }
    | { action: "transform" /** Template; its value is the output. */; value: Json }
    | { action: "log" /** Template of text. */; message: Json; level: "debug" | "info" | "warn" | "error" }
    | { action: "emit" /** Name of the event. */; event: string /** Template. */; payload?: Json }
    | { action: "fail" /** Templates of texts. */; message: Json; errorType?: Json }
    | {
        action: "wait";
        /** Either a duration in milliseconds or a template that gives a duration text (`5m`) or milliseconds. */
        duration?: number | string;
        /** A template that gives an RFC 3339 time. */
        until?: string;
        /** Waits for a signal of this name; its payload is the output. With `duration` as well the node fails with type `timeout` when the time passes first. */
        signal?: string;
      }
  );

export interface SwitchNode extends PlanNodeBase {
  kind: "switch";
  /** Expression source; its value is compared with the cases. */
  condition: string;
  /** In document order; the first that matches wins. */
  cases: SwitchCase[];
  /** Nodes that run when no case matches. */
  defaultTargets: number[];
}

export interface SwitchCase {
  /** A literal is compared with the condition's value (text form for numbers and booleans); `{ expression }` matches when it gives true. */
  match: Json | { expression: string };
  targets: number[];
}

export interface ParallelNode extends PlanNodeBase {
  kind: "parallel";
  branches: number[];
  /** true: completes when every branch is settled. false: completes with the first branch that completes; fails when none does. */
  waitAll: boolean;
}

export interface AggregationNode extends PlanNodeBase {
  kind: "aggregation";
  /** merge: one object, later dependencies win per field. collect: list of the outputs in order of `sources`. */
  strategy: "merge" | "collect";
  /** What is aggregated, in order: indices of dependencies. Skipped ones are left out. */
  sources: number[];
  /** Template that replaces `sources`: a list (or an object, its values in order) of the values to aggregate. */
  inputs?: Json;
}

export interface SubWorkflowNode extends PlanNodeBase {
  kind: "sub_workflow";
  workflowId: string;
  /** Absent: the version that is active when the child starts. */
  version?: number;
  /** Template of the child's input. */
  inputs?: Json;
}

export interface StateMachineNode extends PlanNodeBase {
  kind: "state_machine";
  workflowId: string;
  /** Absent: the version that is active when the machine is created. */
  version?: number;
  /** Template of a text: the machine's business key. */
  key?: Json;
  /** Template of an object: what the creation sets of the machine's context. */
  context?: Json;
  /** Sent once it is created, in order. `data` is a template. */
  events: { event: string; data?: Json }[];
}
