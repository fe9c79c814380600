import type { Json } from "@heddle/engine";
import { executeBlock } from "./actions.ts";
import { assign } from "./assign.ts";
import { ancestorsOf, type LinkedAction, type LinkedState, type LinkedTransition } from "./chart.ts";
import { evaluateDelay } from "./delay.ts";
import { doneStateEvent } from "./event-names.ts";
import { evaluate, raiseFault } from "./fault.ts";
import { recordHistory } from "./history.ts";
import { createScope } from "./scope.ts";
import { computeEntrySet, computeExitSet, type Move } from "./state-sets.ts";
import { commitStep, type Macrostep } from "./turn.ts";

/** Takes transitions together: leaves, acts, enters. SCXML, Appendix D: microstep. */
export function microstep(
  step: Macrostep,
  moves: readonly (Move & { actions: readonly LinkedAction[] })[],
  event: string,
): void {
  const { chart, state } = step.turn;
  const exits = computeExitSet(chart, moves, step.turn.step.active, state.history);
  // What is entered may depend on histories that these exits write: as `evolve` will.
  exitStates(step, exits.toReversed());
  for (const { actions } of moves) executeBlock(step, actions);
  enterStates(step, moves, historyAfter(step, exits));
  commitStep(step.turn, event);
}

/** SCXML: exitStates; the histories are written by `evolve`. */
export function exitStates(step: Macrostep, states: readonly LinkedState[]): void {
  const { turn } = step;
  for (const state of states) {
    for (const block of state.onExit) executeBlock(step, block);
    turn.step.active.delete(state.index);
    turn.step.exited.push(state.id);
    step.toInvoke.delete(state);
  }
}

/** Histories with those that the step under way writes. They are of the configuration before it, which the state still has. */
function historyAfter({ turn }: Macrostep, exits: readonly LinkedState[]): Readonly<Record<string, number[]>> {
  const { chart, state } = turn;
  if (!exits.some(({ histories }) => histories.length > 0)) return state.history;
  const history = { ...state.history };
  for (const parent of exits) {
    for (const own of parent.histories) {
      history[own.index] = recordHistory(chart.states, state.configuration, parent, own.definition.history === "deep");
    }
  }
  return history;
}

/** SCXML: enterStates. */
function enterStates(step: Macrostep, moves: readonly Move[], history: Readonly<Record<string, number[]>>): void {
  const { turn } = step;
  const entry = computeEntrySet(turn.chart, moves, history);
  for (const state of entry.states) {
    turn.step.active.add(state.index);
    turn.step.entered.push(state.id);
    if (state.invocations.length > 0) step.toInvoke.add(state);
    initialize(step, state);
    setTimers(step, state, state.delayed);
    for (const block of state.onEnter) executeBlock(step, block);
    if (entry.byDefault.has(state)) executeBlock(step, state.initial?.actions ?? []);
    executeBlock(step, entry.historyContent.get(state) ?? []);
    if (state.kind === "final") reachFinal(step, state);
  }
}

/** Late binding: a state's data is made when it is first entered. SCXML 5.3.3. */
function initialize(step: Macrostep, state: LinkedState): void {
  const { chart, state: machine } = step.turn;
  if (chart.document.binding !== "late" || machine.initialized.includes(state.index)) return;
  for (const { name, value } of state.data) {
    initializeOne(step, name, () => evaluate(value, createScope(step.turn, step.event)));
  }
}

export function initializeOne(step: Macrostep, name: string, get: () => Json): void {
  try {
    assign(step, [name], get(), `context.${name}`);
  } catch (fault) {
    raiseFault(step.turn, step.raise, fault);
  }
}

/** The timers of delayed transitions. They end with the state. */
export function setTimers(step: Macrostep, state: LinkedState, transitions: readonly LinkedTransition[]): void {
  const { turn } = step;
  for (const { delay } of transitions) {
    if (delay === undefined) continue;
    try {
      const durationMs = evaluateDelay(delay, createScope(turn, step.event));
      turn.step.effects.push({
        type: "timer_set",
        timerId: delay.event,
        dueAt: turn.at + durationMs,
        durationMs,
        policy: delay.policy,
        event: delay.event,
        data: null,
        state: state.id,
      });
    } catch (fault) {
      raiseFault(turn, step.raise, fault);
    }
  }
}

/** SCXML 3.7: the parent is done; a parallel above it when all of its regions are. */
function reachFinal(step: Macrostep, state: LinkedState): void {
  const { turn } = step;
  const [parent, grandparent] = [...ancestorsOf(turn.chart, state)];
  const data = doneDataOf(step, state);
  if (parent === undefined || parent === turn.chart.root) {
    step.done = { output: data };
    return;
  }
  step.raise(doneStateEvent(parent.id), data, "platform");
  if (grandparent?.kind === "parallel" && grandparent.children.every((region) => isInFinal(step, region))) {
    step.raise(doneStateEvent(grandparent.id), null, "platform");
  }
}

function doneDataOf(step: Macrostep, { doneData }: LinkedState): Json {
  if (doneData === undefined) return null;
  try {
    return evaluate(doneData, createScope(step.turn, step.event));
  } catch (fault) {
    raiseFault(step.turn, step.raise, fault);
    return null;
  }
}

/** SCXML: isInFinalState. */
function isInFinal(step: Macrostep, state: LinkedState): boolean {
  const { active } = step.turn.step;
  if (state.kind === "compound")
    return state.children.some((child) => child.kind === "final" && active.has(child.index));
  return state.kind === "parallel" && state.children.every((region) => isInFinal(step, region));
}
