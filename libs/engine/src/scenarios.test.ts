import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { copyState, replay, sortedObligations } from "../test/support/runner.ts";
import { playScenario } from "../test/support/scenario.ts";
import type { ExecutionState } from "./index.ts";

const DIRECTORY = new URL("../testdata/", import.meta.url);
const NAMES = readdirSync(DIRECTORY).filter((name) => name.endsWith(".txt"));

// `REWRITE=1` writes what the engine gives into the files: read the diff before you commit it.
describe("scenarios", () => {
  test.each(NAMES)("%s", (name) => {
    const file = new URL(name, DIRECTORY);
    const expected = readFileSync(file, "utf8");
    const { text, runner } = playScenario(expected);
    if (process.env.REWRITE === "1") writeFileSync(file, text);
    else expect(text).toBe(expected);

    const state = runner?.state as ExecutionState;
    expect(replay(runner!.plan, runner!.history)).toEqual(state);
    expect(copyState(state)).toEqual(state);
    const { expected: derived, known } = sortedObligations(runner!);
    expect(known).toEqual(derived);
  });

  test("there are scenarios", () => {
    expect(NAMES.length).toBeGreaterThanOrEqual(40);
  });
});
