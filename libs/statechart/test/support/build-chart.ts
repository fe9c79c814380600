import type { Json, JsonObject } from "@heddle/engine";
import type { ChartAction, ChartDocument, ChartInvocation, ChartState, ChartTransition } from "../../src/index.ts";

/** A state as tests write it: nested, targets by name. */
export interface StateSketch {
  id: string;
  parallel?: boolean;
  final?: boolean;
  history?: "shallow" | "deep";
  /** Names; default the first child. A history's default. */
  initial?: string | string[];
  initialActions?: ChartAction[];
  on?: TransitionSketch[];
  enter?: ChartAction[];
  exit?: ChartAction[];
  data?: JsonObject;
  done?: Json;
  invoke?: (Partial<ChartInvocation> & { id: string })[];
  states?: StateSketch[];
}

export interface TransitionSketch {
  event?: string;
  guard?: string;
  to?: string | string[];
  internal?: boolean;
  do?: ChartAction[];
  after?: number | string;
  policy?: ChartTransition["delayPolicy"];
}

export interface ChartSketch extends Partial<Omit<ChartDocument, "states">> {
  data?: JsonObject;
  initial?: string | string[];
  states: StateSketch[];
}

/** The document that the definition language would make of it. */
export function buildChart({ states, data, initial, ...rest }: ChartSketch): ChartDocument {
  const flat: { sketch: StateSketch; parent: number }[] = [];
  const add = (sketch: StateSketch, parent: number): void => {
    const index = flat.push({ sketch, parent }) - 1;
    for (const child of sketch.states ?? []) add(child, index);
  };
  add({ id: "", states, ...(data && { data }), ...(initial !== undefined && { initial }) }, -1);
  const indexOf = (name: string): number => {
    const found = flat.findIndex(({ sketch }) => sketch.id === name);
    if (found < 0) throw new Error(`the sketch has no state ${name}`);
    return found;
  };
  const targetsOf = (names: string | string[] | undefined): number[] =>
    names === undefined ? [] : [names].flat().map(indexOf);
  return {
    format: "heddle.chart/1",
    workflowId: "test",
    type: "state_machine",
    binding: "early",
    unexpectedEvents: "drop",
    states: flat.map(({ sketch, parent }): ChartState => {
      const kind = kindOf(sketch);
      const first = sketch.states?.find((child) => child.history === undefined)?.id;
      return {
        id: sketch.id,
        kind,
        parent,
        ...((kind === "compound" || kind === "history") && {
          initial: { targets: targetsOf(sketch.initial ?? first), actions: sketch.initialActions ?? [] },
        }),
        ...(sketch.history && { history: sketch.history }),
        transitions: (sketch.on ?? []).map(
          (transition): ChartTransition => ({
            events: transition.event === undefined ? [] : transition.event.split(" "),
            ...(transition.guard !== undefined && { guard: transition.guard }),
            targets: targetsOf(transition.to),
            internal: transition.internal ?? false,
            actions: transition.do ?? [],
            ...(transition.after !== undefined && { delay: transition.after }),
            ...(transition.policy !== undefined && { delayPolicy: transition.policy }),
          }),
        ),
        onEnter: sketch.enter ? [sketch.enter] : [],
        onExit: sketch.exit ? [sketch.exit] : [],
        ...(sketch.data && { data: sketch.data }),
        ...(sketch.done !== undefined && { doneData: sketch.done }),
        invocations: (sketch.invoke ?? []).map((invocation) => ({
          kind: "workflow",
          name: "child",
          finalize: [],
          autoForward: false,
          ...invocation,
        })),
      };
    }),
    ...rest,
  };
}

function kindOf({ history, final, parallel, states }: StateSketch): ChartState["kind"] {
  if (history) return "history";
  if (final) return "final";
  if (parallel) return "parallel";
  return states && states.length > 0 ? "compound" : "atomic";
}

export const log = (message: string): ChartAction => ({ action: "log", level: "info", message });
export const raise = (event: string, data?: Json): ChartAction => ({
  action: "raise",
  event,
  ...(data !== undefined && { data }),
});
export const assign = (location: string, value: Json): ChartAction => ({
  action: "assign",
  values: [{ location, value }],
});

/** A state that tells when it is entered and left. */
export const told = (id: string, rest: Omit<StateSketch, "id"> = {}): StateSketch => ({
  id,
  enter: [log(`+${id}`)],
  exit: [log(`-${id}`)],
  ...rest,
});
