import type { Json, JsonObject } from "@heddle/engine";
import type { Chart, LinkedState } from "./chart.ts";
import type { Effect, MachineEvent } from "./events.ts";
import { evolve } from "./evolve.ts";
import type { Footprint } from "./livelock.ts";
import type { MachineState } from "./machine-state.ts";

/** What the outside gives to a decision. */
export interface DecideContext {
  machineId: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** Largest data of an event, value of the context or output in bytes of JSON; default as the engine's. */
  maxPayloadBytes?: number;
}

/** An event as a chart sees it. SCXML 5.10.1. */
export interface ChartEvent {
  name: string;
  data: Json;
  type: "platform" | "internal" | "external";
  sendId?: string;
  invokeId?: string;
}

/** One decision under way. */
export interface Turn {
  readonly chart: Chart;
  /** With the events so far applied. */
  readonly state: MachineState;
  readonly events: MachineEvent[];
  readonly context: DecideContext;
  /** `at` of the turn's events: `context.now`, or later if the history is already later (clocks of two processes differ). */
  readonly at: number;
  readonly maxPayloadBytes: number;
  step: Step;
}

/** What has happened since the last event of the turn and will be in its next one: a microstep under way. */
export interface Step {
  /** Of the state, or with what this step has left and entered so far. */
  active: Set<number>;
  exited: string[];
  entered: string[];
  /** Fields with new values; undefined while there are none. */
  assigned: JsonObject | undefined;
  effects: Effect[];
}

/** Everything that one external event sets off, up to the next stable configuration. SCXML: macrostep. */
export interface Macrostep {
  readonly turn: Turn;
  /** What expressions see as `event`. */
  event: ChartEvent | undefined;
  /** Puts an event into the internal queue. */
  raise(name: string, data: Json, type?: ChartEvent["type"]): void;
  /** SCXML: statesToInvoke. */
  readonly toInvoke: Set<LinkedState>;
  /** Set when a top-level final state was entered. */
  done: { output: Json } | undefined;
  actions: number;
  readonly internal: ChartEvent[];
  /** Of the microsteps so far, to name a circle. */
  readonly footprints: Footprint[];
}

export function createStep(state: MachineState): Step {
  return { active: new Set(state.configuration), exited: [], entered: [], assigned: undefined, effects: [] };
}

/** Decides an event: it happens to the state at once, so that what follows is decided on it. */
export function emit(turn: Turn, event: MachineEvent): void {
  turn.events.push(event);
  evolve(turn.chart, turn.state, event);
}

/** Ends the step under way, if anything has happened in it. */
export function commitStep(turn: Turn, event: string): void {
  const { exited, entered, assigned, effects } = turn.step;
  if (exited.length > 0 || entered.length > 0 || assigned !== undefined || effects.length > 0) {
    emit(turn, {
      type: "microstep",
      at: turn.at,
      event,
      exited,
      entered,
      ...(assigned !== undefined && { assigned }),
      effects,
    });
  }
  turn.step = createStep(turn.state);
}
