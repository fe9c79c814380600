import { expect, test } from "vitest";
import { checkRun, sizeOfRun } from "./support/check-run.ts";

/** The same every time, so that a run judges a change and not its luck; `make properties` looks further. */
const SEED = Number(process.env.SEED ?? 20_261_121);
const RUNS = 5_000;

test(`${RUNS} random executions keep all properties (SEED=${SEED} repeats them; more: make properties)`, () => {
  const ends = new Set<string>();
  for (let run = 0; run < RUNS; run++) {
    try {
      ends.add(checkRun(SEED + run, sizeOfRun(run)));
    } catch (error) {
      throw new Error(`seed ${SEED + run}, size ${sizeOfRun(run)}`, { cause: error });
    }
  }
  // The properties mean something only if executions end in different ways.
  expect([...ends].toSorted((a, b) => a.localeCompare(b))).toEqual(["canceled", "completed", "failed"]);
}, 180_000);
