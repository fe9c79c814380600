/** What can be done to a suite. */
export const FAULT_KINDS = [
  "kill-service",
  "kill-worker",
  "pause-service",
  "pause-worker",
  "zombie-worker",
  "terminate-backends",
  "crash-postgres",
  "stop-kafka",
  "kill-kafka",
  "pause-kafka",
  "repeat-events",
  "poison-events",
  "cut-database",
  "delay-database",
  "swallow-commit",
  "cut-service",
  "delay-service",
  "swallow-answer",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** One fault of a schedule: plain data that the seed decides, so that a run can be had again. */
export interface Fault {
  /** After the beginning of the load, milliseconds. */
  atMs: number;
  kind: FaultKind;
  /** Process or wire that it is done to; empty for the servers, of which there is one. */
  target: string;
  /** How long it lasts, milliseconds; for kills: until the process is started again. */
  durationMs: number;
  /** How much of it: connections to end, events to repeat, milliseconds of delay. */
  amount: number;
}

/** What a schedule may aim at. */
export interface Targets {
  services: readonly string[];
  workers: readonly string[];
  databaseWires: readonly string[];
  /** Those of them on which commits are frequent enough to catch one. */
  commitWires: readonly string[];
  serviceWires: readonly string[];
}
