/**
 * One stage of a program: takes the number so far and gives the next one. Each stage is about one thing that must survive
 * a fault, and says how the number changes, so that the end result tells whether every stage ran once and in order.
 */
export type Stage =
  /** One dispatched task. */
  | { kind: "add"; by: number }
  /** A task that takes its time, so that faults meet it half done. */
  | { kind: "slow"; by: number; durationMs: number }
  /** A task that fails its first attempts. */
  | { kind: "flaky"; by: number; failures: number }
  /** A task whose first attempt never answers: its timeout ends it. */
  | { kind: "hang"; by: number }
  /** A task with an output too large to travel inside its event. */
  | { kind: "bulk"; by: number }
  /** As many tasks side by side as there are numbers, and their sum. */
  | { kind: "fan"; by: readonly number[] }
  /** One of two tasks, whichever the number chooses. */
  | { kind: "branch"; limit: number; above: number; below: number }
  /** A timer. */
  | { kind: "nap"; durationMs: number }
  /** Waits for signals one after the other; their order shows in the number. */
  | { kind: "signals"; count: number }
  /** Waits for events one after the other, each with a key of its own; their order shows in the number. */
  | { kind: "events"; count: number }
  /** Emits an event about the key in the input. */
  | { kind: "tell" }
  /** A task that fails until a person says how to go on. */
  | { kind: "incident" }
  /** Another program as sub-workflow. */
  | { kind: "child"; workflowId: string }
  /** A map with its node in it: an execution for each number, and their sum. */
  | { kind: "items"; by: readonly number[] }
  /** A sub-workflow that nobody waits for any more after a while: `onParentClose` says what becomes of it. */
  | { kind: "race"; workflowId: string; onParentClose: ParentClose; durationMs: number }
  /** A task that fails for good, in a workflow that says itself what becomes of it then. Only as the last stage. */
  | { kind: "caught"; how: "continue" | "fail" }
  | { kind: "caught"; how: "fallback"; by: number }
  /** Waits for a signal that nobody sends: only a cancel ends it. */
  | { kind: "hold" }
  /** A task that fails for good. */
  | { kind: "fail" }
  /** An expression that cannot be evaluated: it must harm this execution only. */
  | { kind: "poison" };

export type ParentClose = "cancel" | "terminate" | "leave";

/** A workflow of which the result is known beforehand. */
export interface Program {
  workflowId: string;
  /** Added at the start: each published version has another one, so that the result tells which version ran. */
  salt: number;
  stages: readonly Stage[];
}

/** Numbers stay below this, whatever the signals bring. */
export const MODULUS = 1_000_003;

/** `Failure.type` of the task of a `fail` stage. */
export const PLANNED_FAILURE = "planned";

/** The signal that `signals` stages wait for. */
export const SIGNAL = "go";

/** The event that `events` stages wait for, and `tell` stages emit. */
export const EVENT = "told";

/** The program that emits an event for others. */
export const TELLER = "teller";

/** What event `index` of an execution is about. */
export function eventKey(executionId: string, index: number): string {
  return `${executionId}/${index}`;
}

/** `Failure.type` of a workflow whose `on_error` says what it fails with. */
export const TRANSLATED_FAILURE = "translated";

/** Where the node that does the work of stage `index` stands: what carries its number to the next stage. */
export function nodeOf(index: number): string {
  return `s${index}`;
}

/** How many signals a program takes in all. */
export function signalsOf({ stages }: Program): number {
  return stages.reduce((sum, stage) => sum + (stage.kind === "signals" ? stage.count : 0), 0);
}

/** How many events a program takes in all. */
export function awaitedEventsOf({ stages }: Program): number {
  return stages.reduce((sum, stage) => sum + (stage.kind === "events" ? stage.count : 0), 0);
}

/** Nodes that fail until a person says how to go on, in the order in which they do. */
export function incidentNodesOf({ stages }: Program): string[] {
  return stages.flatMap(({ kind }, index) => (kind === "incident" ? [nodeOf(index)] : []));
}

/** Id of the map of an `items` stage. */
export function mapOf(nodeId: string): string {
  return `${nodeId}-map`;
}

/** Id of the sub-workflow of a `race` stage. */
export function racerOf(nodeId: string): string {
  return `${nodeId}-child`;
}

/** Whether only a cancel ends it, itself or by a sub-workflow of it. */
export function isHeld({ stages }: Program, find: (workflowId: string) => Program): boolean {
  return stages.some(
    (stage) => stage.kind === "hold" || (stage.kind === "child" && isHeld(find(stage.workflowId), find)),
  );
}
