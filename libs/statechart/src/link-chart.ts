import { createFieldCompiler, type FieldCompiler } from "@heddle/engine";
import type { Chart, LinkedInvocation, LinkedState, LinkedTransition } from "./chart.ts";
import type { ChartDocument, ChartState, ChartTransition } from "./chart-document.ts";
import { compileDescriptors } from "./descriptors.ts";
import { delayEventOf, isDelayEvent } from "./event-names.ts";
import { linkActions } from "./link-actions.ts";
import { linkDelay } from "./link-delay.ts";
import { chartFormatUnknown } from "./refusals.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Looks everything up that machines of the chart will ask for. Takes time in proportion to the chart; keep the result for
 * all machines of a version. The document must not change afterwards.
 *
 * @throws DomainError CHART_FORMAT_UNKNOWN when the document is of another format than `heddle.chart/1`
 */
export function linkChart(document: ChartDocument): Chart {
  const format: string = document.format;
  if (format !== "heddle.chart/1") throw chartFormatUnknown(format);
  const compiler = createFieldCompiler(new Set());
  const states = document.states.map((definition, index) => linkState(definition, index, compiler));
  for (const state of states) linkFamily(states, state);
  for (const state of states) linkTargets(states, state, compiler);
  return {
    document,
    states,
    indices: new Map(states.slice(1).map((state) => [state.id, state.index])),
    root: states[0] as LinkedState,
    subscribes: states.some(({ subscriptions }) => subscriptions.length > 0),
    ...(document.output !== undefined && { output: compiler.template("output", document.output) }),
  };
}

function linkState(definition: ChartState, index: number, compiler: FieldCompiler): Mutable<LinkedState> {
  return {
    index,
    id: definition.id,
    kind: definition.kind,
    definition,
    parent: definition.parent,
    depth: 0,
    end: index + 1,
    children: [],
    histories: [],
    transitions: [],
    eventless: [],
    delayed: [],
    onEnter: definition.onEnter.map((block) => linkActions(block, "on_enter", compiler)),
    onExit: definition.onExit.map((block) => linkActions(block, "on_exit", compiler)),
    data: Object.entries(definition.data ?? {}).map(([name, value]) => ({
      name,
      value: compiler.template(`context.${name}`, value),
    })),
    invocations: [],
    subscriptions: (definition.subscriptions ?? []).map((subscription) => ({
      definition: subscription,
      labels: Object.entries(subscription.labels ?? {}).map(([name, value]) => ({
        name,
        value: compiler.template(`subscribe.labels.${name}`, value),
      })),
    })),
    ...(definition.doneData !== undefined && { doneData: compiler.template("output", definition.doneData) }),
  };
}

/** Parents stand before their children, so one pass is enough. */
function linkFamily(states: Mutable<LinkedState>[], state: Mutable<LinkedState>): void {
  const parent = states[state.parent];
  if (parent === undefined) return;
  state.depth = parent.depth + 1;
  if (state.kind === "history") parent.histories = [...parent.histories, state];
  else parent.children = [...parent.children, state];
  for (let at: Mutable<LinkedState> | undefined = parent; at !== undefined; at = states[at.parent]) {
    at.end = Math.max(at.end, state.index + 1);
  }
}

function linkTargets(states: LinkedState[], state: Mutable<LinkedState>, compiler: FieldCompiler): void {
  const { definition } = state;
  if (definition.initial !== undefined) {
    state.initial = {
      targets: definition.initial.targets.map((target) => states[target] as LinkedState),
      actions: linkActions(definition.initial.actions, "initial", compiler),
    };
  }
  state.transitions = definition.transitions.map((transition, position) =>
    linkTransition(states, state, transition, position, compiler),
  );
  state.eventless = state.transitions.filter(({ isEventless }) => isEventless);
  state.delayed = state.transitions.filter(({ delay }) => delay !== undefined);
  state.invocations = definition.invocations.map(
    (invocation): LinkedInvocation => ({
      id: invocation.id,
      state,
      definition: invocation,
      ...(invocation.input !== undefined && {
        input: compiler.template(`invoke ${invocation.id}: input`, invocation.input),
      }),
      finalize: linkActions(invocation.finalize, `invoke ${invocation.id}: finalize`, compiler),
    }),
  );
}

function linkTransition(
  states: LinkedState[],
  source: LinkedState,
  transition: ChartTransition,
  position: number,
  compiler: FieldCompiler,
): LinkedTransition {
  const path = `transitions[${position}]`;
  const delay =
    transition.delay === undefined
      ? undefined
      : linkDelay(
          transition.delay,
          transition.delayPolicy,
          `${path}.after`,
          delayEventOf(source.id, position),
          compiler,
        );
  return {
    source,
    position,
    // A timer belongs to its own transition: `*` is for events, and must not swallow it.
    matches:
      delay === undefined ? withoutTimers(compileDescriptors(transition.events)) : (event) => event === delay.event,
    descriptors: transition.events,
    isEventless: transition.events.length === 0 && delay === undefined,
    ...(transition.guard !== undefined && { guard: compiler.expression(`${path}.guard`, transition.guard) }),
    targets: transition.targets.map((target) => states[target] as LinkedState),
    internal: transition.internal,
    actions: linkActions(transition.actions, `${path}.actions`, compiler),
    ...(delay !== undefined && { delay }),
  };
}

function withoutTimers(matches: (event: string) => boolean): (event: string) => boolean {
  return (event) => !isDelayEvent(event) && matches(event);
}
