import { ancestorsOf, isDescendant, type LinkedState, type LinkedTransition } from "./chart.ts";
import { evaluate, raiseFault } from "./fault.ts";
import { createScope } from "./scope.ts";
import { computeExitSet } from "./state-sets.ts";
import type { Macrostep } from "./turn.ts";

/**
 * The transitions that are taken together: for each atomic state the first that is enabled, from the inside out and in
 * document order, without those that others preempt. SCXML 3.13, Appendix D: selectTransitions, selectEventlessTransitions.
 */
export function selectTransitions(step: Macrostep, event: string | undefined): LinkedTransition[] {
  const { chart, state } = step.turn;
  const enabled: LinkedTransition[] = [];
  // Regions share ancestors: what has been found out about one holds for the next.
  const decided = new Map<LinkedState, LinkedTransition | undefined>();
  for (const index of state.configuration) {
    const atomic = chart.states[index] as LinkedState;
    if (atomic.kind === "compound" || atomic.kind === "parallel") continue;
    const found = findEnabled(step, atomic, event, decided);
    if (found !== undefined && !enabled.includes(found)) enabled.push(found);
  }
  return enabled.length < 2 ? enabled : removeConflicts(step, enabled);
}

function findEnabled(
  step: Macrostep,
  atomic: LinkedState,
  event: string | undefined,
  decided: Map<LinkedState, LinkedTransition | undefined>,
): LinkedTransition | undefined {
  const first = firstEnabled(step, atomic, event, decided);
  if (first !== undefined) return first;
  for (const ancestor of ancestorsOf(step.turn.chart, atomic)) {
    const found = firstEnabled(step, ancestor, event, decided);
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstEnabled(
  step: Macrostep,
  state: LinkedState,
  event: string | undefined,
  decided: Map<LinkedState, LinkedTransition | undefined>,
): LinkedTransition | undefined {
  if (decided.has(state)) return decided.get(state);
  const candidates = event === undefined ? state.eventless : state.transitions;
  const found = candidates.find(
    (candidate) => (event === undefined || candidate.matches(event)) && holds(step, candidate),
  );
  decided.set(state, found);
  return found;
}

/** SCXML 5.9.1: a guard that cannot be evaluated is false, and an error. */
function holds(step: Macrostep, { guard }: LinkedTransition): boolean {
  if (guard === undefined) return true;
  try {
    return evaluate(guard, createScope(step.turn, step.event)) === true;
  } catch (fault) {
    raiseFault(step.turn, step.raise, fault);
    return false;
  }
}

/** Of two that would leave the same state the inner one wins, else the first. SCXML, Appendix D: removeConflictingTransitions. */
function removeConflicts({ turn }: Macrostep, enabled: readonly LinkedTransition[]): LinkedTransition[] {
  const { chart, state, step } = turn;
  let kept: { transition: LinkedTransition; exits: Set<LinkedState> }[] = [];
  for (const transition of enabled) {
    const exits = new Set(computeExitSet(chart, [transition], step.active, state.history));
    const conflicting = kept.filter((other) => !exits.isDisjointFrom(other.exits));
    if (conflicting.some((other) => !isDescendant(transition.source, other.transition.source))) continue;
    kept = kept.filter((other) => !conflicting.includes(other));
    kept.push({ transition, exits });
  }
  return kept.map(({ transition }) => transition);
}
