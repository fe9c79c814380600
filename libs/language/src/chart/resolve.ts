import { didYouMean } from "@heddle/expression";
import type { Report } from "../report.ts";
import type { ChartDraft, StateDraft, StateRef } from "./draft.ts";

/** Where states stand to one another, with their names looked up. */
export interface ChartTree {
  indices: ReadonlyMap<string, number>;
  /** By state: its children without history states. */
  children: readonly (readonly StateDraft[])[];
  /** The states that refs name; those that do not exist are reported and left out. */
  find(refs: readonly StateRef[]): StateDraft[];
  /** The state's own initial targets, or its first child. */
  initialOf(state: StateDraft): StateDraft[];
  /** Proper descendant. */
  isInside(inner: StateDraft, outer: StateDraft): boolean;
  /** Proper ancestors from the inside out, the root last. */
  ancestorsOf(state: StateDraft): StateDraft[];
}

export function resolveStates({ states }: ChartDraft, report: Report): ChartTree {
  const indices = new Map<string, number>();
  for (const state of states) {
    if (state.id === "") continue;
    const other = indices.get(state.id);
    if (other === undefined) indices.set(state.id, state.index);
    else {
      const line = report.lineOf(states[other]!.nameAt.start);
      report.add(
        "duplicate-id",
        state.nameAt,
        `there are two states "${state.id}", the other in line ${line}`,
        "names are unique in the whole machine",
      );
    }
  }
  const children: StateDraft[][] = states.map(() => []);
  for (const state of states) {
    if (state.parent >= 0 && state.kind !== "history") children[state.parent]!.push(state);
  }
  const ancestorsOf = (state: StateDraft): StateDraft[] => {
    const ancestors: StateDraft[] = [];
    for (let at = state.parent; at >= 0; at = states[at]!.parent) ancestors.push(states[at]!);
    return ancestors;
  };
  const find = (refs: readonly StateRef[]): StateDraft[] =>
    refs.flatMap((ref) => {
      const index = indices.get(ref.id);
      if (index !== undefined) return [states[index]!];
      const hint = (): string => didYouMean(ref.id, indices.keys()) ?? "add it, or name another one";
      report.add("unknown-state", ref.at, `there is no state "${ref.id}"`, hint);
      return [];
    });
  return {
    indices,
    children,
    find,
    ancestorsOf,
    isInside: (inner, outer) => ancestorsOf(inner).includes(outer),
    initialOf(state) {
      if (state.initial !== undefined) return find(state.initial.targets);
      // Without a default a history leads where its parent begins.
      const owner = state.kind === "history" ? states[state.parent]! : state;
      if (owner !== state) return owner.kind === "parallel" ? [...children[owner.index]!] : this.initialOf(owner);
      return children[state.index]!.slice(0, 1);
    },
  };
}

/** Initial targets are inside of their state, and several targets are in different regions. */
export function checkTargets({ states }: ChartDraft, tree: ChartTree, report: Report): void {
  for (const state of states) {
    if (state.initial !== undefined) {
      const around = state.kind === "history" ? states[state.parent]! : state;
      for (const ref of state.initial.targets) {
        const [target] = tree.find([ref]);
        if (target === undefined || tree.isInside(target, around)) continue;
        const where = around.id === "" ? "the machine" : `"${around.id}"`;
        report.add(
          "bad-initial",
          ref.at,
          `"${ref.id}" is not inside of ${where}`,
          "an initial state is one of the states inside",
        );
      }
      checkTogether(tree.find(state.initial.targets), state.initial.targets, tree, report);
    }
    for (const transition of state.transitions) {
      checkTogether(tree.find(transition.targets), transition.targets, tree, report);
    }
  }
}

/** SCXML 3.5: it must be possible to be in all targets at once. */
function checkTogether(
  targets: readonly StateDraft[],
  refs: readonly StateRef[],
  tree: ChartTree,
  report: Report,
): void {
  for (const [index, target] of targets.entries()) {
    for (const other of targets.slice(0, index)) {
      const shared = tree.ancestorsOf(target).find((ancestor) => ancestor === other || tree.isInside(other, ancestor));
      if (target !== other && shared?.kind === "parallel") continue;
      const at = refs[index]?.at ?? target.nameAt;
      report.add(
        "targets-exclude",
        at,
        `nothing can be in "${target.id}" and "${other.id}" at once`,
        "several targets stand in different regions of a parallel state",
      );
    }
  }
}
