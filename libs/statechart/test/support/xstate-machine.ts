import { createActor, createMachine, raise, stateIn, type AnyActor } from "xstate";
import type { ChartSketch, StateSketch, TransitionSketch } from "./build-chart.ts";

/** The same chart, run by XState. */
export interface XStateRun {
  send(event: string): void;
  active(): string[];
  readonly logs: unknown[];
  isDone(): boolean;
}

export function runXState(sketch: ChartSketch): XStateRun {
  const logs: unknown[] = [];
  const config = toConfig({ id: "root", states: sketch.states, initial: sketch.initial ?? sketch.states[0]!.id }, logs);
  const actor: AnyActor = createActor(createMachine(config));
  actor.start();
  return {
    logs,
    send: (event) => actor.send({ type: event }),
    active: () =>
      (actor.getSnapshot() as unknown as { _nodes: { key: string; type: string; order: number }[] })._nodes
        .filter(({ type }) => type === "atomic" || type === "final")
        .sort((a, b) => a.order - b.order)
        .map(({ key }) => key),
    isDone: () => actor.getSnapshot().status === "done",
  };
}

function toConfig(state: StateSketch, logs: unknown[]): object {
  const actions = (list: StateSketch["enter"]): unknown[] =>
    (list ?? []).map((action) => {
      if (action.action === "log") return () => void logs.push(action.message);
      if (action.action === "raise") return raise({ type: action.event });
      throw new Error(`XState is not given ${action.action}`);
    });
  const toTransition = ({ guard, to, internal, do: list }: TransitionSketch): object => ({
    ...(guard !== undefined && { guard: stateIn(`#${/In\("(.*)"\)/.exec(guard)![1]}`) }),
    ...(to !== undefined && { target: [to].flat().map((name) => `#${name}`), reenter: internal !== true }),
    actions: actions(list),
  });
  if (state.history !== undefined) {
    return {
      id: state.id,
      type: "history",
      history: state.history,
      target: [state.initial!].flat().map((name) => `#${name}`),
    };
  }
  const on: Record<string, object[]> = {};
  const always: object[] = [];
  const onDone: object[] = [];
  for (const transition of state.on ?? []) {
    if (transition.event === undefined) always.push(toTransition(transition));
    else if (transition.event === `done.state.${state.id}`) onDone.push(toTransition(transition));
    else (on[transition.event] ??= []).push(toTransition(transition));
  }
  const children = state.states ?? [];
  return {
    id: state.id,
    ...(state.final && { type: "final" }),
    ...(state.parallel && { type: "parallel" }),
    ...(!state.parallel && children.length > 0 && { initial: state.initial }),
    ...(children.length > 0 && {
      states: Object.fromEntries(children.map((child) => [child.id, toConfig(child, logs)])),
    }),
    entry: actions(state.enter),
    exit: actions(state.exit),
    ...(Object.keys(on).length > 0 && { on }),
    ...(always.length > 0 && { always }),
    ...(onDone.length > 0 && { onDone }),
  };
}
