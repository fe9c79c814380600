import type { Outcome } from "../scenario.ts";

/** What every named run takes. */
export interface RunOptions {
  seed: number;
  /** Logs and records stay there. */
  folder: string;
  log: (line: string) => void;
}

/** A bound that a run is measured against. Only `make` fails by it: how fast a machine is, is no property of the code. */
export interface Measurement {
  name: string;
  value: number;
  unit: string;
  /** The most that is allowed. */
  limit: number;
}

export interface RunOutcome extends Outcome {
  measurements: Measurement[];
}
