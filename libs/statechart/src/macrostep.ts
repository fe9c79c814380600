import { type Json, findSizeFault } from "@heddle/engine";
import { executeBlock } from "./actions.ts";
import type { LinkedState, LinkedTransition } from "./chart.ts";
import { ChartFault, EndlessMacrostep, evaluate, raiseFault } from "./fault.ts";
import { MAX_CONTEXT_BYTES, MAX_INTERNAL_EVENTS, MAX_MICROSTEPS } from "./limits.ts";
import { describeCycle } from "./livelock.ts";
import { exitStates, microstep } from "./microstep.ts";
import { contextOf, createScope } from "./scope.ts";
import { selectTransitions } from "./select.ts";
import { sendMessage } from "./send.ts";
import { type ChartEvent, commitStep, createStep, emit, type Macrostep, type Turn } from "./turn.ts";

export function createMacrostep(turn: Turn, event: ChartEvent | undefined): Macrostep {
  const step: Macrostep = {
    turn,
    event,
    raise(name, data, type = "internal") {
      if (step.internal.length >= MAX_INTERNAL_EVENTS) {
        throw new EndlessMacrostep(
          "limit",
          `one event raises more than ${MAX_INTERNAL_EVENTS} events; the last was ${name}`,
        );
      }
      step.internal.push({ name, data, type });
    },
    toInvoke: new Set(),
    done: undefined,
    actions: 0,
    internal: [],
    footprints: [],
  };
  return step;
}

/** The first entry, with what it sets off. */
export function enterMachine(step: Macrostep): void {
  const { root } = step.turn.chart;
  const { targets, actions } = root.initial ?? { targets: [], actions: [] };
  take(step, [{ source: root, targets, internal: true, actions }], "");
  runToCompletion(step);
}

/**
 * Takes an event from outside. Gives false when it enabled nothing and nobody got it; what it was worth is the caller's to decide.
 * @throws EndlessMacrostep; what it has done until then must be undone
 */
export function takeEvent(step: Macrostep, event: ChartEvent): boolean {
  const isForwarded = finalizeAndForward(step, event);
  const transitions = selectTransitions(step, event.name);
  if (transitions.length > 0) take(step, transitions, event.name);
  runToCompletion(step);
  return transitions.length > 0 || isForwarded;
}

/** SCXML 6.5, 6.4: before transitions are selected. */
function finalizeAndForward(step: Macrostep, event: ChartEvent): boolean {
  const { turn } = step;
  let isForwarded = false;
  if (turn.state.invocations.length === 0) return false;
  for (const index of turn.state.configuration) {
    for (const invocation of (turn.chart.states[index] as LinkedState).invocations) {
      const running = turn.state.invocations.find(({ id }) => id === invocation.id);
      if (running === undefined) continue;
      if (event.invokeId === invocation.id) executeBlock(step, invocation.finalize);
      else if (invocation.definition.autoForward && event.type === "external") {
        const target = { kind: "invocation", invokeId: running.id, token: running.token } as const;
        try {
          sendMessage(step, target, event.name, event.data, "", `invoke ${invocation.id}`);
          isForwarded = true;
        } catch (fault) {
          raiseFault(turn, step.raise, fault);
        }
      }
    }
  }
  commitStep(turn, event.name);
  return isForwarded;
}

/** SCXML, Appendix D: the inner loop of mainEventLoop, and what follows it. @throws EndlessMacrostep */
export function runToCompletion(step: Macrostep): void {
  while (step.done === undefined) {
    const eventless = selectTransitions(step, undefined);
    if (eventless.length > 0) {
      take(step, eventless, "");
      continue;
    }
    const next = step.internal.shift();
    if (next !== undefined) {
      step.event = next;
      const transitions = selectTransitions(step, next.name);
      if (transitions.length > 0) take(step, transitions, next.name);
      continue;
    }
    // What guards have complained about, when nothing was taken since.
    commitStep(step.turn, "");
    startInvocations(step);
    if (step.internal.length === 0) return checkContext(step);
  }
  finish(step);
}

function take(
  step: Macrostep,
  transitions: readonly Pick<LinkedTransition, "source" | "targets" | "internal" | "actions">[],
  event: string,
): void {
  microstep(step, transitions, event);
  step.footprints.push({ configuration: step.turn.state.configuration, event });
  if (step.footprints.length <= MAX_MICROSTEPS) return;
  throw new EndlessMacrostep("livelock", describeCycle(step.turn.chart, step.footprints));
}

/** SCXML: after the macrostep, for the states that were entered in it and not left again. */
export function startInvocations(step: Macrostep): void {
  const { turn } = step;
  const states = [...step.toInvoke].sort((a, b) => a.index - b.index);
  step.toInvoke.clear();
  for (const state of states) {
    for (const invocation of state.invocations) {
      // A machine that came here from another version may have brought it along.
      if (turn.state.invocations.some(({ id }) => id === invocation.id)) continue;
      try {
        const input = invocation.input === undefined ? {} : evaluate(invocation.input, createScope(turn, step.event));
        const fault = findSizeFault(input, turn.maxPayloadBytes);
        if (fault !== undefined) throw new ChartFault(`invoke ${invocation.id}`, `the input ${fault}`);
        emit(turn, {
          type: "invocation_started",
          at: turn.at,
          state: state.id,
          invokeId: invocation.id,
          kind: invocation.definition.kind,
          token: turn.state.nextToken,
          input,
        });
        turn.step = createStep(turn.state);
      } catch (fault) {
        raiseFault(turn, step.raise, fault);
        commitStep(turn, "");
      }
    }
  }
}

/** SCXML: exitInterpreter. The states' exit actions run; where the machine stood at its end stays to be read. */
function finish(step: Macrostep): void {
  const { turn } = step;
  const { chart, state } = turn;
  const active = state.configuration.map((index) => chart.states[index] as LinkedState).toReversed();
  // Before the exits: it is the end of the machine as it was when it got there.
  const output = finalOutput(step);
  exitStates(step, active);
  const { assigned, effects } = turn.step;
  emit(turn, {
    type: "machine_finished",
    at: turn.at,
    output,
    effects,
    ...(assigned !== undefined && { assigned }),
  });
  turn.step = createStep(state);
}

function finalOutput(step: Macrostep): Json {
  const { turn, done } = step;
  const own = done?.output ?? null;
  if (turn.chart.output === undefined) return own;
  try {
    return evaluate(turn.chart.output, createScope(turn, step.event));
  } catch (fault) {
    raiseFault(turn, step.raise, fault);
    return own;
  }
}

function checkContext({ turn }: Macrostep): void {
  if (!turn.events.some((event) => event.type === "microstep" && event.assigned !== undefined)) return;
  const fault = findSizeFault(contextOf(turn), MAX_CONTEXT_BYTES);
  if (fault !== undefined) throw new EndlessMacrostep("limit", `the context ${fault}`);
}
