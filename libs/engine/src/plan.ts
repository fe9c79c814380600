import type { Event, ItemEnd } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import type { Field } from "./field.ts";
import type { QueryDefinition, UpdateDefinition } from "./interaction-document.ts";
import type { Json, JsonObject } from "./json.ts";
import type { ErrorHandler, WorkflowErrorHandler } from "./error-document.ts";
import type { PlanDocument } from "./plan-document.ts";
import type { PlanNode, RetryRule } from "./plan-node.ts";

// Plans hold programs, programs take turns, turns hold plans: these types stand together because they name each other.

/** A plan document with everything looked up in advance. Immutable; one serves all executions of a version. */
export interface Plan {
  document: PlanDocument;
  nodes: readonly LinkedNode[];
  indices: ReadonlyMap<string, number>;
  /** By node: how many dependencies and activators it has. */
  prerequisiteCounts: readonly number[];
  /** The nodes of the workflow itself, without those of bodies. */
  body: Body;
  /** Items of all maps of an execution that run at once. */
  maxActiveItems: number;
  /** Index of the group that runs at the end. */
  finally?: number;
  /** Something of it says what undoes a step: it waits for canceled children, which may undo their own. */
  hasCompensation: boolean;
  output?: Field;
  /** What becomes of an execution that is to fail. */
  errorHandlers: readonly LinkedWorkflowHandler[];
  /** It has a node that waits for events of other executions. */
  awaitsEvents: boolean;
  updates: ReadonlyMap<string, LinkedUpdate>;
  queries: ReadonlyMap<string, LinkedQuery>;
}

export interface LinkedUpdate {
  definition: UpdateDefinition;
  when?: Field;
  otherwise?: Field;
  set?: Field;
  key?: Field;
  reply?: Field;
}

export interface LinkedQuery {
  definition: QueryDefinition;
  output: Field;
}

/** Nodes that run together: of the workflow, of a group, or of a turn of a loop. */
export interface Body {
  /** How many. */
  size: number;
  /** Nodes that are ready from the start, ascending. */
  roots: readonly number[];
  /** Nodes that nothing waits for: neither as a dependency, nor as a target, nor as a branch. Their outputs are the default output. */
  leaves: readonly number[];
  /** These nodes and those of the bodies inside, ascending. */
  inside: readonly number[];
}

export interface LinkedNode {
  index: number;
  id: string;
  definition: PlanNode;
  /** Nodes that have this one among their dependencies, ascending. */
  dependents: readonly number[];
  /** What it activates as a switch or parallel, ascending. */
  activates: readonly number[];
  /** Nodes that may run in its place when it has failed, ascending. */
  fallbacks: readonly number[];
  /** Nodes that this one may run in place of, ascending. */
  fallbackOf: readonly number[];
  /** Of a group or loop. */
  body?: Body;
  /** Parallels that this node is a branch of, ascending. */
  branchOf: readonly number[];
  /**
   * Its failure alone fails nothing: it is a branch of parallels that do not need all of them, or a fallback, or other
   * nodes go on when it has failed.
   */
  tolerated: boolean;
  /** It takes no part in the workflow itself: it undoes a step, is the group that runs at the end, or runs when the execution is to fail. */
  role?: "compensation" | "finally" | "handler";
  /** Index of the node that undoes it. */
  compensation?: number;
  /** What undoes it is called with this. */
  compensationInput?: Field;
  errorHandlers: readonly LinkedErrorHandler[];
  /** Of a task: in order. */
  retryRules: readonly LinkedRetryRule[];
  when?: Field;
  /** Of a wait for an event: which of them count. */
  eventFilter?: Field;
  program: NodeProgram;
}

export interface LinkedRetryRule {
  definition: RetryRule;
  when?: Field;
}

export interface LinkedErrorHandler {
  definition: ErrorHandler;
  when?: Field;
  value?: Field;
}

export interface LinkedWorkflowHandler {
  definition: WorkflowErrorHandler;
  when?: Field;
  /** The output with which the execution completes. */
  value?: Field;
  /** What is said of the failure that stands for the handled one. */
  failure?: { type?: Field; message?: Field; details?: Field };
}

/** What one kind of node does. Each function evaluates first and emits then, so that a fault leaves no half of it. */
export interface NodeProgram {
  /** The node is ready and its `when` holds. */
  begin(turn: Turn, node: LinkedNode): void;
  /** Only parallels, groups and loops: enough branches are settled, or the whole body. */
  join?(turn: Turn, node: LinkedNode): void;
  /** Only maps: an item has ended by itself. */
  itemEnded?(turn: Turn, node: LinkedNode, index: number, end: Exclude<ItemEnd, { outcome: "canceled" }>): void;
  /** Only tasks, waits, human nodes, groups and loops: the time that the node waited for has come. */
  fire?(turn: Turn, node: LinkedNode): void;
}

/** What the outside gives to a decision. */
export interface DecideContext {
  executionId: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** The execution id of a node's child. The same for every call with the same node, so that a child starts once. */
  childId(nodeId: string): string;
  /**
   * What is wrong with a human answer by its form, a JSON Schema; none when it fits. Must give the same for the same. Absent:
   * forms are not checked.
   */
  checkForm?(form: JsonObject, answer: Json): { field: string; description: string }[];
  /** Largest output, input or signal payload in bytes of JSON; default DEFAULT_MAX_PAYLOAD_BYTES. */
  maxPayloadBytes?: number;
}

/** One decision under way: the events so far, and the state with them applied. */
export interface Turn {
  plan: Plan;
  state: ExecutionState;
  events: Event[];
  context: DecideContext;
  /** `at` of the turn's events: `context.now`, or later if the history is already later (clocks of two processes differ). */
  at: number;
  maxPayloadBytes: number;
}
