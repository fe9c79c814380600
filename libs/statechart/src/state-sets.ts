import {
  ancestorsOf,
  type Chart,
  isDescendant,
  type LinkedAction,
  type LinkedState,
  type LinkedTransition,
} from "./chart.ts";
import type { MachineState } from "./machine-state.ts";

// Which states transitions leave and enter: the procedures of the same names in SCXML, Appendix D.

/** What a transition needs to be to move a machine. */
export type Move = Pick<LinkedTransition, "source" | "targets" | "internal">;

export interface EntrySet {
  /** In entry order. */
  states: LinkedState[];
  /** Those that are entered by their initial transition. */
  byDefault: Set<LinkedState>;
  /** Content of default transitions of histories, by the history's parent. */
  historyContent: Map<LinkedState, readonly LinkedAction[]>;
}

/** In document order. */
export function computeExitSet(
  chart: Chart,
  moves: readonly Move[],
  active: ReadonlySet<number>,
  history: MachineState["history"],
): LinkedState[] {
  const left = new Set<number>();
  for (const move of moves) {
    const domain = findDomain(chart, move, history);
    if (domain === undefined) continue;
    for (const index of active) if (index > domain.index && index < domain.end) left.add(index);
  }
  return [...left].sort((a, b) => a - b).map((index) => chart.states[index] as LinkedState);
}

export function computeEntrySet(chart: Chart, moves: readonly Move[], history: MachineState["history"]): EntrySet {
  const entry = { states: new Set<LinkedState>(), byDefault: new Set<LinkedState>(), historyContent: new Map() };
  const adder = createAdder(chart, history, entry);
  for (const move of moves) {
    for (const target of move.targets) adder.addDescendants(target);
    const domain = findDomain(chart, move, history);
    for (const target of effectiveTargets(chart, move.targets, history)) adder.addAncestors(target, domain);
  }
  return {
    states: [...entry.states].sort((a, b) => a.index - b.index),
    byDefault: entry.byDefault,
    historyContent: entry.historyContent,
  };
}

/** The state inside of which everything happens; undefined for a transition without targets. SCXML: getTransitionDomain. */
function findDomain(chart: Chart, move: Move, history: MachineState["history"]): LinkedState | undefined {
  const { source } = move;
  const targets = effectiveTargets(chart, move.targets, history);
  if (targets.length === 0) return undefined;
  const isInside = targets.every((target) => isDescendant(target, source));
  if (move.internal && source.kind === "compound" && isInside) return source;
  // SCXML: findLCCA, the innermost compound state that has all of them inside.
  for (const ancestor of ancestorsOf(chart, source)) {
    if (ancestor.kind === "compound" && targets.every((target) => isDescendant(target, ancestor))) return ancestor;
  }
  return chart.root;
}

/** With histories replaced by what they stand for. */
function effectiveTargets(
  chart: Chart,
  targets: readonly LinkedState[],
  history: MachineState["history"],
): readonly LinkedState[] {
  if (!targets.some(({ kind }) => kind === "history")) return targets;
  const effective = new Set<LinkedState>();
  for (const target of targets) {
    if (target.kind !== "history") effective.add(target);
    else {
      const stored = storedStates(chart, target, history);
      const meant = stored ?? effectiveTargets(chart, target.initial?.targets ?? [], history);
      for (const state of meant) effective.add(state);
    }
  }
  return [...effective];
}

function storedStates(chart: Chart, state: LinkedState, history: MachineState["history"]): LinkedState[] | undefined {
  return history[state.index]?.map((index) => chart.states[index] as LinkedState);
}

function createAdder(
  chart: Chart,
  history: MachineState["history"],
  entry: {
    states: Set<LinkedState>;
    byDefault: Set<LinkedState>;
    historyContent: Map<LinkedState, readonly LinkedAction[]>;
  },
) {
  const enterAll = (states: readonly LinkedState[], ancestor: LinkedState): void => {
    for (const state of states) addDescendants(state);
    for (const state of states) addAncestors(state, ancestor);
  };

  function addDescendants(state: LinkedState): void {
    const parent = chart.states[state.parent] as LinkedState;
    if (state.kind === "history") {
      const stored = storedStates(chart, state, history);
      if (stored === undefined) entry.historyContent.set(parent, state.initial?.actions ?? []);
      enterAll(stored ?? state.initial?.targets ?? [], parent);
      return;
    }
    entry.states.add(state);
    if (state.kind === "compound") {
      entry.byDefault.add(state);
      enterAll(state.initial?.targets ?? [], state);
    } else if (state.kind === "parallel") {
      addRegions(state);
    }
  }

  function addAncestors(state: LinkedState, end: LinkedState | undefined): void {
    for (const ancestor of ancestorsOf(chart, state)) {
      if (ancestor === end || ancestor === chart.root) return;
      entry.states.add(ancestor);
      if (ancestor.kind === "parallel") addRegions(ancestor);
    }
  }

  /** Those regions that nothing inside of is entered otherwise. */
  function addRegions(parallel: LinkedState): void {
    for (const region of parallel.children) {
      let isEntered = false;
      for (const state of entry.states) isEntered ||= isDescendant(state, region);
      if (!isEntered) addDescendants(region);
    }
  }

  return { addDescendants, addAncestors };
}
