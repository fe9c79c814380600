import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What a worker did, written by its handler itself: outside of the engine, and before the engine hears of it. `begin` when
 * the handler is entered, `end` and `fail` just before it answers. Zombies write `stale` when they answer too late.
 */
export interface Effect {
  phase: "begin" | "end" | "fail" | "stale";
  /** Milliseconds since the Unix epoch. */
  at: number;
  worker: string;
  /** Idempotency key: `<execution id>/<node id>/<attempt>`. */
  key: string;
  /** Fencing token of the delivery, decimal. */
  token: string;
  /** Number that came in. */
  n: number;
  /** With `end` and `stale`: the number that was answered. */
  result?: number;
  /** With `fail`: the type of the failure. */
  failureType?: string;
  /** With `begin`: handlers that run in this worker now, this one included. */
  running?: number;
}

/** Folder of a run that workers write to, one file each. */
export function effectsFile(folder: string, worker: string): string {
  return join(folder, `effects-${worker}.ndjson`);
}

/** One write call a line: a kill leaves the line whole or absent, and the kernel has it when the call returns. */
export function createEffectLog(path: string): (effect: Effect) => void {
  return (effect) => appendFileSync(path, `${JSON.stringify(effect)}\n`);
}

/** All effects of a run, in the order of their time. */
export function readEffects(folder: string): Effect[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("effects-"))
    .flatMap((name) => readLines(join(folder, name)))
    .toSorted((a, b) => a.at - b.at);
}

function readLines(path: string): Effect[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Effect);
}
