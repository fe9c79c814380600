import type { Report } from "../report.ts";
import type { ChartDraft, StateDraft, TransitionDraft } from "./draft.ts";
import type { ChartTree } from "./resolve.ts";

/** Steps of a path that a finding tells. */
const MAX_PATH = 20;

/** How a state can be reached: the step before, and what leads on from there. */
interface Arrival {
  from: StateDraft | undefined;
  by: string;
}

/**
 * Looks through the graph of states with guards taken as possible: states that nothing leads to, that nothing leads out of,
 * from which no end can be reached, and circles of eventless transitions that never wait. Each finding names a path.
 * Time: linear in states and transitions. It says nothing about guards that exclude one another.
 */
export function checkModel(chart: ChartDraft, tree: ChartTree, report: Report): void {
  const arrivals = findReachable(chart, tree);
  for (const state of chart.states) {
    if (state.index === 0 || state.kind === "history" || arrivals.has(state)) continue;
    // Said once, at the outermost: what is inside of it is not reached either.
    const parent = chart.states[state.parent]!;
    if (parent.index !== 0 && !arrivals.has(parent)) continue;
    report.add(
      "unreachable-state",
      state.nameAt,
      `nothing leads to the state "${state.id}"`,
      "add a transition to it, or remove it",
    );
  }
  checkEnds(chart, tree, arrivals, report);
  checkCircles(chart, tree, arrivals, report);
}

function findReachable(chart: ChartDraft, tree: ChartTree): Map<StateDraft, Arrival> {
  const arrivals = new Map<StateDraft, Arrival>();
  const waiting: StateDraft[] = [];
  const reach = (state: StateDraft, from: StateDraft | undefined, by: string): void => {
    if (state.kind === "history") {
      // It may bring back anything that its parent was in before; the first time its default.
      reach(chart.states[state.parent]!, from, by);
      for (const target of tree.initialOf(state)) reach(target, from, by);
      return;
    }
    if (arrivals.has(state)) return;
    arrivals.set(state, { from, by });
    waiting.push(state);
    for (const ancestor of tree.ancestorsOf(state)) {
      if (ancestor.index !== 0 && !arrivals.has(ancestor)) reachAround(ancestor, from, by);
    }
    const inside =
      state.kind === "parallel" ? tree.children[state.index]! : state.kind === "compound" ? tree.initialOf(state) : [];
    for (const child of inside) reach(child, from, by);
  };
  /** An ancestor is entered for the sake of what is inside: its initial state is not, its other regions are. */
  const reachAround = (ancestor: StateDraft, from: StateDraft | undefined, by: string): void => {
    arrivals.set(ancestor, { from, by });
    waiting.push(ancestor);
    if (ancestor.kind === "parallel") for (const region of tree.children[ancestor.index]!) reach(region, from, by);
  };
  for (const state of tree.initialOf(chart.states[0]!)) reach(state, undefined, "");
  for (let state = waiting.shift(); state !== undefined; state = waiting.shift()) {
    for (const transition of state.transitions) {
      if (transition.guard?.constant === false) continue;
      for (const target of tree.find(transition.targets)) reach(target, state, describeTrigger(transition));
    }
  }
  return arrivals;
}

function checkEnds(
  chart: ChartDraft,
  tree: ChartTree,
  arrivals: ReadonlyMap<StateDraft, Arrival>,
  report: Report,
): void {
  const leadsOut = (state: StateDraft): boolean =>
    state.transitions.some(({ targets, guard }) => targets.length > 0 && guard?.constant !== false);
  const tops = tree.children[0]!.filter(({ kind }) => kind === "final");
  const ending = statesThatCanEnd(chart, tree, tops);
  for (const state of arrivals.keys()) {
    const isLeaf = state.kind === "atomic" || (state.kind === "final" && state.parent !== 0);
    if (!isLeaf) continue;
    const around = [state, ...tree.ancestorsOf(state)];
    // Inside of a region other regions may lead out of the whole.
    const regions = around.filter(({ kind }) => kind === "parallel").flatMap((parallel) => listInside(parallel, tree));
    if (state.kind === "atomic" && ![...around, ...regions].some(leadsOut)) {
      report.add(
        "dead-end",
        state.nameAt,
        `nothing leads out of the state "${state.id}": ${pathTo(state, arrivals)}`,
        "add a transition, or make it `type: final`",
      );
    } else if (tops.length > 0 && state.kind === "atomic" && ending.get(state) !== true) {
      report.add(
        "no-end",
        state.nameAt,
        `no final state can be reached from "${state.id}": ${pathTo(state, arrivals)}`,
        "add a transition that leads on to a final state",
      );
    }
  }
}

/**
 * Backwards from the final states at the top. True for a state that itself has a transition on the way there, which holds for everything
 * inside of it; false for one that only has such a state inside.
 */
function statesThatCanEnd(chart: ChartDraft, tree: ChartTree, tops: readonly StateDraft[]): Map<StateDraft, boolean> {
  const sources = listSources(chart, tree);
  const ending = new Map<StateDraft, boolean>();
  const waiting: { state: StateDraft; leadsOn: boolean }[] = tops.map((state) => ({ state, leadsOn: true }));
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { state, leadsOn } = next;
    const known = ending.get(state);
    if (known === true || known === leadsOn) continue;
    ending.set(state, leadsOn);
    for (const source of sources.get(state) ?? []) {
      waiting.push({ state: source, leadsOn: true });
      // While one region is on its way there, so are the others of its parallel.
      for (const ancestor of tree.ancestorsOf(source)) {
        if (ancestor.kind === "parallel") waiting.push({ state: ancestor, leadsOn: true });
      }
    }
    if (leadsOn) for (const inner of listInside(state, tree)) waiting.push({ state: inner, leadsOn: true });
    // Who enters the state around may come to be in this one.
    if (state.parent > 0) waiting.push({ state: chart.states[state.parent]!, leadsOn: false });
  }
  return ending;
}

function listSources(chart: ChartDraft, tree: ChartTree): Map<StateDraft, StateDraft[]> {
  const sources = new Map<StateDraft, StateDraft[]>();
  for (const state of chart.states) {
    for (const { targets, guard } of state.transitions) {
      if (guard?.constant === false) continue;
      for (const target of tree.find(targets)) {
        // To a history is to anywhere inside of its parent.
        const meant = target.kind === "history" ? chart.states[target.parent]! : target;
        sources.set(meant, [...(sources.get(meant) ?? []), state]);
      }
    }
  }
  return sources;
}

function listInside(state: StateDraft, tree: ChartTree): StateDraft[] {
  return tree.children[state.index]!.flatMap((child) => [child, ...listInside(child, tree)]);
}

/** Eventless transitions without guards, one to the other: the machine would never come to rest. */
function checkCircles(
  chart: ChartDraft,
  tree: ChartTree,
  arrivals: ReadonlyMap<StateDraft, Arrival>,
  report: Report,
): void {
  const nextOf = (state: StateDraft): StateDraft | undefined => {
    const always = state.transitions.find(
      ({ events, delay, guard, targets }) =>
        events.length === 0 &&
        delay === undefined &&
        targets.length > 0 &&
        (guard === undefined || guard.constant === true),
    );
    let target = always === undefined ? undefined : tree.find(always.targets)[0];
    while (target?.kind === "compound") target = tree.initialOf(target)[0];
    return target?.kind === "atomic" ? target : undefined;
  };
  const told = new Set<StateDraft>();
  for (const state of chart.states) {
    if (state.kind !== "atomic" || !arrivals.has(state) || told.has(state)) continue;
    const path: StateDraft[] = [];
    let at: StateDraft | undefined = state;
    while (at !== undefined && !path.includes(at) && !told.has(at)) {
      path.push(at);
      at = nextOf(at);
    }
    for (const one of path) told.add(one);
    if (at === undefined || !path.includes(at)) continue;
    const circle = [...path.slice(path.indexOf(at)), at].map(({ id }) => id).join(" → ");
    report.add(
      "endless-loop",
      at.nameAt,
      `eventless transitions run in a circle that never waits: ${circle}`,
      "give one of them an event, an `after` or a guard",
    );
  }
}

/** `start → begin → processing`. */
function pathTo(state: StateDraft, arrivals: ReadonlyMap<StateDraft, Arrival>): string {
  let path = state.id;
  let at = state;
  for (let steps = 0; steps < MAX_PATH; steps++) {
    const arrival = arrivals.get(at);
    if (arrival?.from === undefined) return path;
    path = `${arrival.from.id} → ${arrival.by} → ${path}`;
    at = arrival.from;
  }
  return `… → ${path}`;
}

function describeTrigger({ events, delay }: TransitionDraft): string {
  if (delay !== undefined) return `after ${delay}${typeof delay === "number" ? " ms" : ""}`;
  return events[0] ?? "always";
}
