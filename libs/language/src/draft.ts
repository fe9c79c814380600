import type {
  ActionNode,
  CompensationPolicy,
  FailureClass,
  FailureTemplate,
  GroupNode,
  HumanNode,
  Json,
  JsonObject,
  LoopNode,
  MapNode,
  Outcome,
  ParentClosePolicy,
  PlanNodeBase,
  TaskNode,
  QueryDefinition,
  UpdateDefinition,
} from "@heddle/engine";
import type { PlanSchedule, PlanTrigger } from "./starts/starts.ts";
import type { NodeIds } from "@heddle/expression";
import type { SourceMap, SourceNode, SourceScalar, Span } from "./source/source-node.ts";

/** A definition that was read field by field, before anything in it was looked up. */
export interface WorkflowDraft {
  id: string;
  name?: string;
  description?: string;
  labels?: Record<string, string>;
  inputSchema?: JsonObject;
  output?: Json;
  agents: ReadonlyMap<string, JsonObject>;
  timeoutMs?: number;
  retentionMs?: number;
  priority?: number;
  nodes: NodeDraft[];
  uses: ExpressionUse[];
  starts: StartsDraft;
  compensation?: CompensationPolicy;
  cleanupTimeoutMs?: number;
  onError?: WorkflowHandlerDraft[];
  interactions: InteractionsDraft;
  /** It is the body of a map, which is compiled as a workflow of its own. */
  item?: ItemPlace;
}

/** Where the body of a map stands. */
export interface ItemPlace {
  /** Of the item in expressions. */
  itemName: string;
  /** Nodes around the map, at all levels, without those whose ids mean the item. */
  outerIds: NodeIds;
}

/** The body that stands in a map, as it was read. */
export interface ItemBodyDraft {
  nodes: NodeDraft[];
  uses: ExpressionUse[];
  output?: Json;
}

/** What may be asked of its executions. */
export interface InteractionsDraft {
  updates: UpdateDraft[];
  queries: QueryDraft[];
}

export type UpdateDraft = Omit<UpdateDefinition, "when" | "after"> & { when?: Condition; after?: NodeRef };
export type QueryDraft = QueryDefinition;

export interface NodeDraft {
  index: number;
  /** Empty when it is missing or bad; such a node cannot be named, everything else about it is checked. */
  id: string;
  idAt: Span;
  at: SourceMap;
  name?: string;
  dependencies: NodeRef[];
  /** As written; the default depends on the kind of the node. */
  join?: PlanNodeBase["join"];
  when?: Condition;
  /** The group or loop whose body has it. */
  container?: number;
  depends?: DependsDraft;
  dependsAt?: SourceNode;
  onError?: HandlerDraft[];
  compensate?: CompensationDraft;
  body: NodeBody;
}

/** What undoes a node: the body of another one. */
export interface CompensationDraft {
  body: NodeBody;
  at: Span;
}

/** A condition over outcomes, with the places where it names nodes. */
export type DependsDraft =
  | { all: DependsDraft[] }
  | { any: DependsDraft[] }
  | { not: DependsDraft }
  | { ref: DependsRef; outcome: Outcome };

/** A node's id inside a text. */
export interface DependsRef {
  id: string;
  at: Span;
}

export type HandlerDraft = { types?: string[]; class?: FailureClass; when?: Condition; at: SourceNode } & (
  | { action: "fail" | "skip" | "incident" }
  | { action: "continue"; value: Json }
  | { action: "fallback"; target: NodeRef }
);

export type WorkflowHandlerDraft = Pick<HandlerDraft, "types" | "class" | "when" | "at"> &
  (
    | { action: "fail"; failure?: FailureTemplate }
    | { action: "continue"; value: Json }
    | { action: "fallback"; target: NodeRef }
  );

/** A node's id where another node names it. */
export interface NodeRef {
  id: string;
  at: SourceScalar;
}

/** An expression without `${}`, or what is true or false anyway. */
export interface Condition {
  source: string;
  at: SourceNode;
  constant?: boolean;
}

/** When the workflow starts by itself, with the places that findings point to. */
export interface StartsDraft {
  schedules: (PlanSchedule & { at: SourceNode; inputAt?: SourceNode })[];
  triggers: (Omit<PlanTrigger, "filter"> & {
    at: SourceNode;
    inputAt?: SourceNode;
    workflowAt?: SourceNode;
    filter?: Condition;
  })[];
}

type Plain<T> = Omit<T, keyof PlanNodeBase | "kind">;

export type NodeBody =
  | ({ kind: "task"; nameAt?: SourceNode; inputsAt?: SourceNode } & Plain<TaskNode>)
  | ({ kind: "action" } & ActionBody)
  | { kind: "switch"; condition?: Condition; cases: CaseDraft[]; defaultTargets: NodeRef[]; branchesAt: SourceNode }
  | {
      kind: "parallel";
      branches: NodeRef[];
      waitAll: boolean;
      need?: number;
      cancelRest?: boolean;
      branchesAt: SourceNode;
    }
  | ({ kind: "map"; workflowAt?: SourceNode; until?: Condition; itemBody?: ItemBodyDraft } & Omit<
      Plain<MapNode>,
      "until" | "captures"
    >)
  | ({ kind: "group" } & Plain<GroupNode>)
  | ({ kind: "loop"; while?: Condition; until?: Condition } & Omit<Plain<LoopNode>, "while" | "until">)
  | { kind: "aggregation"; strategy: "merge" | "collect"; inputs?: Json }
  | {
      kind: "sub_workflow";
      workflowId: string;
      workflowAt?: SourceNode;
      version?: number;
      inputs?: Json;
      detached?: true;
      onParentClose?: ParentClosePolicy;
    }
  | {
      kind: "state_machine";
      workflowId: string;
      workflowAt?: SourceNode;
      version?: number;
      key?: Json;
      context?: Json;
      events: { event: string; data?: Json }[];
    }
  | ({ kind: "human" } & Plain<HumanNode>)
  /** Its type is missing or unknown: there is nothing to plan, and errors are reported already. */
  | { kind: "unknown" };

export type ActionBody =
  | { action: "set"; params: JsonObject }
  | { action: "set_attributes"; params: JsonObject }
  | { action: "transform"; value: Json }
  | { action: "log"; message: Json; level: "debug" | "info" | "warn" | "error" }
  | { action: "emit"; event: string; key?: Json; payload?: Json }
  | { action: "fail"; message: Json; errorType?: Json; class?: FailureClass; details?: Json }
  | { action: "break"; value?: Json }
  | ({ action: "wait" } & Omit<Extract<ActionNode, { action: "wait" }>, "kind" | "action" | keyof PlanNodeBase>);

export interface CaseDraft {
  match: { kind: "literal"; value: null | boolean | number | string } | { kind: "expression"; condition: Condition };
  at: SourceNode;
  targets: NodeRef[];
}

/** A place where expressions stand: `template` is JSON with `${...}` in its texts, `expression` is one expression with or without `${}`. */
export interface ExpressionUse {
  kind: "template" | "expression";
  at: SourceNode;
  /** Index of the node that evaluates it; undefined for the workflow's output. */
  owner?: number;
  /** Of a group or loop: it is evaluated around a turn of the body, which it may read. */
  inBody?: true;
  /** Names that it sees besides: `error` where one is handled, the item and its `index` of a map. */
  names?: readonly string[];
}

/** The group that runs at the end: nothing in the workflow can wait for it or read it. */
export function isFinally({ body }: NodeDraft): boolean {
  return body.kind === "group" && body.isFinally === true;
}

/** Nodes that may run in its place when it has failed, each reference apart. */
export function fallbacksOf({ onError = [] }: NodeDraft): NodeRef[] {
  return onError.flatMap((handler) => (handler.action === "fallback" ? [handler.target] : []));
}

export function dependsRefs(condition: DependsDraft): DependsRef[] {
  if ("ref" in condition) return [condition.ref];
  if ("not" in condition) return dependsRefs(condition.not);
  return ("all" in condition ? condition.all : condition.any).flatMap(dependsRefs);
}

/** Nodes that a switch or parallel activates, in the order of the document, each reference apart. */
export function activated(body: NodeBody): NodeRef[] {
  if (body.kind === "parallel") return body.branches;
  if (body.kind === "switch") return [...body.cases.flatMap(({ targets }) => targets), ...body.defaultTargets];
  return [];
}
