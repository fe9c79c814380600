import type { ErrorHandler, FailureClass } from "./error-document.ts";
import type { Json, JsonObject } from "./json.ts";

export type PlanNode =
  | TaskNode
  | ActionNode
  | SwitchNode
  | ParallelNode
  | GroupNode
  | LoopNode
  | MapNode
  | AggregationNode
  | SubWorkflowNode
  | StateMachineNode
  | HumanNode;

export interface PlanNodeBase {
  id: string;
  name?: string;
  /** Nodes whose completion this one needs: declared and inferred from expressions, ascending, without duplicates. */
  dependencies: number[];
  /**
   * Switch and parallel nodes that activate this one, and nodes that it is the fallback of: it runs when at least one of
   * them chose it, once all of them are settled.
   */
  activators: number[];
  /** The group or loop whose body has this node; absent: the workflow itself. What it depends on has the same container. */
  container?: number;
  /**
   * `all`: skipped as soon as one dependency is skipped. `any`: runs with those that completed, skipped when none did.
   * Aggregations default to `any`, everything else to `all`.
   */
  join: "all" | "any";
  /** Instead of `join`: which outcomes of `dependencies` it needs. It begins as soon as they hold, whatever the others do. */
  depends?: Dependence;
  /** The first that matches the failure says what becomes of it. Without one the container fails, or the workflow. */
  onError?: ErrorHandler[];
  /** Expression source without `${}`; the node is skipped when it gives false. */
  when?: string;
  /** What undoes the node once it has completed. */
  compensate?: Compensation;
}

type Undoing<Node> = Node extends unknown ? Omit<Node, keyof PlanNodeBase> : never;

/**
 * Its fields are evaluated when the step completes, and see `current`: the step's output. Without `inputs` that is the input.
 */
export type Compensation =
  | Undoing<TaskNode>
  | Undoing<SubWorkflowNode>
  | Undoing<Extract<ActionNode, { action: "set" | "log" | "emit" }>>;

/** A condition over the outcomes of other nodes, which are named by their index. */
export type Dependence =
  | { all: Dependence[] }
  | { any: Dependence[] }
  | { not: Dependence }
  | { node: number; outcome: Outcome };

/** `settled`: in whatever way. Of a map also `any_succeeded` (at least one item) and `all_failed` (there are items, and none succeeded). */
export type Outcome = "succeeded" | "failed" | "skipped" | "canceled" | "settled" | "any_succeeded" | "all_failed";

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
  /** An attempt that no worker has taken within this time fails (`queue_timeout`), milliseconds; absent: unlimited. */
  queueTimeoutMs?: number;
  /** A running attempt that reports no progress for longer fails (`progress_timeout`), milliseconds; absent: unlimited. */
  progressTimeoutMs?: number;
  /** All attempts with the waits between them, milliseconds: what runs then is stopped (`total_timeout`). Absent: unlimited. */
  totalTimeoutMs?: number;
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
  /** No attempt begins later than this after the first one was scheduled, milliseconds; absent: unlimited. */
  maxElapsedMs?: number;
  /** The first that matches a failure stands for the fields above. */
  rules?: RetryRule[];
}

/** How failures of one kind are retried. At least one of `types`, `class` and `when` is there; all that are must match. */
export interface RetryRule extends Omit<RetryPolicy, "nonRetryable" | "rules"> {
  types?: string[];
  class?: FailureClass;
  /** Expression that sees `error` beside everything that the node sees. */
  when?: string;
}

/** Runs in the engine, without a worker. */
export type ActionNode = PlanNodeBase & { kind: "action" } & (
    | {
        action: "set" /** Template of an object; its fields become `vars`, and the node's output. */;
        params: JsonObject;
      }
    | {
        action: "set_attributes" /** Template of an object; null takes an attribute away. Its output is the object. */;
        params: JsonObject;
      }
    | { action: "transform" /** Template; its value is the output. */; value: Json }
    | { action: "log" /** Template of text. */; message: Json; level: "debug" | "info" | "warn" | "error" }
    | {
        action: "emit" /** Name of the event. */;
        event: string /** Template of a text, number or boolean: what it is about. */;
        key?: Json /** Template. */;
        payload?: Json;
      }
    | {
        action: "fail" /** Templates of texts. */;
        message: Json;
        errorType?: Json;
        /** Absent: technical. */
        class?: FailureClass;
        /** Template. */
        details?: Json;
      }
    | { action: "break" /** Template; the output of the innermost loop, which ends. */; value?: Json }
    | {
        action: "wait";
        /** Either a duration in milliseconds or a template that gives a duration text (`5m`) or milliseconds. */
        duration?: number | string;
        /** A template that gives an RFC 3339 time. */
        until?: string;
        /** Waits for a signal of this name; its payload is the output. A duration or time beside it is how long: see `onTimeout`. */
        signal?: string;
        /**
         * Instead of `signal`: waits for an event of this name that another execution of the namespace emits after this one has started.
         * The event is the output.
         */
        event?: string;
        /** Expression that sees `event`: others do not count. */
        filter?: string;
        /**
         * Template of a text, number or boolean: only signals and events with this key count. Absent: only signals without one, events
         * whatever their keys.
         */
        key?: Json;
        /**
         * When the time is over before the signal: `fail` with type `wait_timeout`, the default, or `continue`. The output is then
         * `{ timed_out, payload }` in both cases, so that what follows can tell them apart.
         */
        onTimeout?: "fail" | "continue";
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
  /** true: completes when every branch is settled. false: completes once `need` branches have completed; fails when they cannot. */
  waitAll: boolean;
  /** With `waitAll: false`: how many branches must complete, from 1; absent: 1. */
  need?: number;
  /** With `waitAll: false`: what goes on in the other branches then is stopped. */
  cancelRest?: boolean;
}

/** Runs its body once. It completes when all nodes of the body are settled, and fails with the first of them that fails. */
export interface GroupNode extends PlanNodeBase {
  kind: "group";
  /** It runs at the end of the execution, whatever that is: nothing waits for it, and its failure fails nothing that has ended otherwise. */
  isFinally?: true;
  /** Nodes whose `container` is this one, ascending. */
  body: number[];
  /** Template, which sees the body; absent: an object of the outputs of the body's leaves, by id. */
  output?: Json;
  /** From the begin to the end, milliseconds; absent: unlimited. */
  timeoutMs?: number;
}

/** Runs its body again and again. The body's nodes begin afresh each time; the turns come one after the other. */
export interface LoopNode extends PlanNodeBase {
  kind: "loop";
  body: number[];
  /** Template of a list: a turn for each of its items. */
  forEach?: Json;
  /** Name of the item in expressions; absent: `item`. */
  itemName?: string;
  /** Expression, before each turn: the loop ends when it gives false. */
  while?: string;
  /** Expression, after each turn: the loop ends when it gives true. */
  until?: string;
  /** Turns, at most. A loop of `forEach` fails before its first turn when the list is longer, others when one more would come. */
  maxTurns: number;
  /** Template: what `loop.carry` is in the first turn. */
  carry?: Json;
  /** Template, after each turn: what `loop.carry` is in the next one. */
  next?: Json;
  /** Template, after the last turn; absent: what `result` gives, as a list of all turns, or else of the last turn. */
  output?: Json;
  /** The outputs of all turns are kept, as a list. */
  collect: boolean;
  /** Template of a turn's output; absent: as the default output of a group. */
  result?: Json;
  /** From the begin to the end, milliseconds; absent: unlimited. */
  timeoutMs?: number;
}

/**
 * Runs an execution of a workflow for each item of a list, many at once, and waits for all. The items are executions of
 * their own, so that their histories are apart, and a list of 100,000 leaves this one small. Its output is the list of
 * their outputs, in the order of the items; null for those without one.
 */
export interface MapNode extends PlanNodeBase {
  kind: "map";
  /** Template of a list; or whole numbers from `from` to `to`, both included, each a template of a number. */
  items: Json | { range: { from: Json; to: Json } };
  /** Name of the item in expressions; absent: `item`. */
  itemName?: string;
  workflowId: string;
  /** Absent: the version that is active when an item starts. */
  version?: number;
  /** Template of an item's input, which sees the item by its name and `index`; absent: an object of both. */
  inputs?: Json;
  /** Items that run at once, from 1. */
  maxConcurrency: number;
  /** How many items may fail before the map does, of all of them; absent: none. */
  tolerated?: { count: number } | { percent: number };
  /** false: its output is an object of numbers, and what the items gave is in their own executions. Absent: it is the list of their outputs. */
  collect?: boolean;
  /** Expression, after each item: the map completes when it gives true, and what still runs is stopped. Sees `items`. */
  until?: string;
  /**
   * The body of the items stands in the map: they run the workflow `<workflow id>.<id of the map>` of the same version,
   * and what they read around the map is put into their input when they start. Then there are no `version` and `inputs`.
   */
  captures?: Capture[];
  /** Absent: `cancel`. */
  onParentClose?: ParentClosePolicy;
}

/** A name around a map that its body reads. */
export interface Capture {
  name: string;
  /** The parts of it that are read; the empty path: all of it. */
  paths: string[][];
}

/**
 * What becomes of a child when its node stops waiting for it, because the execution ends or for any other reason: it is told to end (`cancel`),
 * ends at once, without undoing anything (`terminate`), or goes on as if nothing had been (`leave`).
 */
export type ParentClosePolicy = "cancel" | "terminate" | "leave";

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
  /** It completes when the child has started, with `{ execution_id }`; the child is nobody's then, and goes on whatever becomes of this execution. */
  detached?: true;
  /** Absent: `cancel`. */
  onParentClose?: ParentClosePolicy;
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

/** Asks people. It completes with their answer, or answers. */
export interface HumanNode extends PlanNodeBase {
  kind: "human";
  /** Template of a text. */
  title: Json;
  /** Template of a text. */
  description?: Json;
  /** Template of a text: who is to answer. null and the empty text: nobody yet. */
  assignee?: Json;
  /** Template of a text or a list of texts: whose members may take it. */
  groups?: Json;
  /** JSON Schema (2020-12) of an answer; absent: any value. */
  form?: JsonObject;
  /** Template: what is shown to whoever answers. */
  data?: Json;
  /** Template: values that whoever answers may mend. */
  proposed?: Json;
  /** 0 (first) to 9 (last); absent: the execution's. */
  priority?: number;
  /** Template of a duration (`4h`, or a number of milliseconds) or of an RFC 3339 time; absent: no end. */
  deadline?: Json;
  /** What follows when the deadline passes, and then each step's own. */
  escalation?: EscalationStep[];
  /** Template of the answer that counts when the last deadline has passed; absent: the node fails with `deadline_exceeded`. */
  defaultAnswer?: Json;
  /** Absent: the first answer is the only one. */
  quorum?: Quorum;
}

/** Who is asked next; nobody: those who were asked before, again. */
export interface EscalationStep {
  assignee?: Json;
  groups?: Json;
  /** Absent: this step has no end. */
  deadline?: Json;
}

/** Several people answer, each once. */
export interface Quorum {
  /** How many may answer. */
  of: number;
  /** How many must have answered; with `field` how many must agree. From 1 to `of`. */
  need: number;
  /** The field of the answer that they must agree on. */
  field?: string;
}
