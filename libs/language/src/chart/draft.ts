import type { JsonObject } from "@heddle/engine";
import type {
  ChartAction,
  ChartDocument,
  ChartInvocation,
  ChartState,
  ChartSubscription,
  TimerPolicy,
} from "@heddle/statechart";
import type { Condition, ExpressionUse } from "../draft.ts";
import type { SourceMap, SourceNode, SourceScalar, Span } from "../source/source-node.ts";

/** A state machine that was read field by field, before names of states were looked up. */
export interface ChartDraft {
  id: string;
  name?: string;
  description?: string;
  labels?: Record<string, string>;
  inputSchema?: JsonObject;
  agents: ReadonlyMap<string, JsonObject>;
  binding: ChartDocument["binding"];
  unexpectedEvents: ChartDocument["unexpectedEvents"];
  output?: ChartDocument["output"];
  /** In document order; the first is the root, which is the workflow itself. */
  states: StateDraft[];
  uses: ChartUse[];
  /** Fields of the context that actions assign. */
  assigned: Set<string>;
  /** Names of events that actions raise or send to the machine itself; templates are left out. */
  sent: Set<string>;
}

export interface StateDraft {
  index: number;
  /** Empty for the root, and when it is missing or bad. */
  id: string;
  at: SourceMap;
  nameAt: Span;
  parent: number;
  kind: ChartState["kind"];
  history?: "shallow" | "deep";
  initial?: { targets: StateRef[]; actions: ChartAction[]; at: SourceNode };
  transitions: TransitionDraft[];
  onEnter: ChartAction[];
  onExit: ChartAction[];
  data?: JsonObject;
  invocations: InvocationDraft[];
  subscriptions: SubscriptionDraft[];
  doneData?: ChartState["doneData"];
}

export interface TransitionDraft {
  at: SourceMap;
  events: string[];
  eventsAt?: SourceNode;
  guard?: Condition;
  targets: StateRef[];
  internal: boolean;
  actions: ChartAction[];
  delay?: number | string;
  delayPolicy?: TimerPolicy;
}

export interface InvocationDraft {
  at: SourceMap;
  invocation: ChartInvocation;
  nameAt?: SourceNode;
  inputAt?: SourceNode;
}

export interface SubscriptionDraft {
  workflowAt: SourceNode;
  subscription: ChartSubscription;
}

/** A state's name where something else names it. */
export interface StateRef {
  id: string;
  at: SourceScalar;
}

export interface ChartUse extends ExpressionUse {
  /** Variables of the loops around. */
  locals?: string[];
  /** Names that can be used there; default all. */
  only?: readonly string[];
}

/** What readers of a chart share. */
export interface ChartReader {
  states: StateDraft[];
  uses: ChartUse[];
  assigned: Set<string>;
  sent: Set<string>;
  agents: ReadonlyMap<string, JsonObject>;
}
