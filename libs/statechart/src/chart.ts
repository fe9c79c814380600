import type { Field } from "@heddle/engine";
import type {
  ChartAction,
  ChartDocument,
  ChartInvocation,
  ChartState,
  ChartSubscription,
  TimerPolicy,
} from "./chart-document.ts";

/** A chart document with everything looked up in advance. Immutable; one serves all machines of a version. */
export interface Chart {
  document: ChartDocument;
  /** In document order; an index in it is how states are named inside of the core. */
  states: readonly LinkedState[];
  indices: ReadonlyMap<string, number>;
  root: LinkedState;
  /** Whether any state has subscriptions. */
  subscribes: boolean;
  output?: Field;
}

export interface LinkedState {
  index: number;
  id: string;
  kind: ChartState["kind"];
  definition: ChartState;
  parent: number;
  /** Distance to the root. */
  depth: number;
  /** The state and its descendants are those from `index` up to and without `end`: document order is preorder. */
  end: number;
  /** Without history states, in document order. */
  children: readonly LinkedState[];
  /** Its history states. */
  histories: readonly LinkedState[];
  /** Compound and history states. */
  initial?: { targets: readonly LinkedState[]; actions: readonly LinkedAction[] };
  transitions: readonly LinkedTransition[];
  /** Those of `transitions` that no event enables. */
  eventless: readonly LinkedTransition[];
  delayed: readonly LinkedTransition[];
  onEnter: readonly (readonly LinkedAction[])[];
  onExit: readonly (readonly LinkedAction[])[];
  data: readonly { name: string; value: Field }[];
  invocations: readonly LinkedInvocation[];
  subscriptions: readonly LinkedSubscription[];
  doneData?: Field;
}

export interface LinkedTransition {
  source: LinkedState;
  /** Place among the transitions of its source, from 0. */
  position: number;
  matches(event: string): boolean;
  descriptors: readonly string[];
  isEventless: boolean;
  guard?: Field;
  targets: readonly LinkedState[];
  internal: boolean;
  actions: readonly LinkedAction[];
  delay?: LinkedDelay;
}

/** When something is due, and what a suspension does to it. */
export interface LinkedDelay {
  /** Milliseconds, or what gives them. */
  duration: number | Field;
  policy: TimerPolicy;
  /** Of a delayed transition: the name of the event that its timer gives. */
  event: string;
}

/** An action with its fields compiled. `path` names its place for messages. */
export type LinkedAction = { path: string } & (
  | { action: "raise"; event: string; data?: Field }
  | {
      action: "send";
      event: Field;
      data?: Field;
      delay?: LinkedDelay;
      sendId?: Field;
      idLocation?: string;
      target: LinkedTarget;
    }
  | { action: "cancel"; sendId: Field }
  | { action: "assign"; values: readonly { location: readonly string[]; value: Field }[] }
  | { action: "log"; message: Field; level: Extract<ChartAction, { action: "log" }>["level"] }
  | {
      action: "if";
      branches: readonly { condition: Field; actions: readonly LinkedAction[] }[];
      otherwise: readonly LinkedAction[];
    }
  | { action: "foreach"; items: Field; item: string; index?: string; actions: readonly LinkedAction[] }
);

export type LinkedTarget =
  | { kind: "self" | "internal" | "parent" }
  | { kind: "invocation"; invokeId: Field }
  | { kind: "machine"; machineId?: Field; workflowId?: Field; key?: Field }
  | { kind: "execution"; executionId: Field };

export interface LinkedInvocation {
  id: string;
  state: LinkedState;
  definition: ChartInvocation;
  input?: Field;
  finalize: readonly LinkedAction[];
}

export interface LinkedSubscription {
  definition: ChartSubscription;
  labels: readonly { name: string; value: Field }[];
}

/** Is `inner` a proper descendant of `outer`? */
export function isDescendant(inner: LinkedState, outer: LinkedState): boolean {
  return inner.index > outer.index && inner.index < outer.end;
}

export function isAtomic(state: LinkedState): boolean {
  return state.kind === "atomic" || state.kind === "final";
}

/** From the inside out, the root last. SCXML: getProperAncestors. */
export function* ancestorsOf(chart: Chart, state: LinkedState): Iterable<LinkedState> {
  for (let at = state.parent; at >= 0; at = (chart.states[at] as LinkedState).parent) {
    yield chart.states[at] as LinkedState;
  }
}
