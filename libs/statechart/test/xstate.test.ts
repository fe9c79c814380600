import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildChart } from "./support/build-chart.ts";
import { createMachine, replay } from "./support/machine.ts";
import type { StateSketch } from "./support/build-chart.ts";
import { randomCase, type RandomCase } from "./support/random-chart.ts";
import { runXState } from "./support/xstate-machine.ts";

const RUNS = Number(process.env["STATECHART_RUNS"] ?? 10_000);

describe("random charts and scripts", () => {
  test(`do the same as XState, ${RUNS} times`, () => {
    fc.assert(
      fc.property(randomCase, (example) => {
        const ours = trace(example);
        // XState would run in that circle for ever.
        fc.pre(ours !== undefined);
        expect(ours, describeCase(example)).toEqual(traceXState(example));
      }),
      { numRuns: RUNS },
    );
  });

  test("survive a crash between any two events, and a replay gives the same state", () => {
    fc.assert(
      fc.property(randomCase, ({ sketch, script }) => {
        const document = buildChart(sketch);
        const [machine, crashing] = [createMachine(document), createMachine(document, { crashes: true })];
        for (const event of script) {
          if (machine.state.status !== "active") break;
          machine.send(event);
          crashing.send(event);
        }
        expect(crashing.history).toEqual(machine.history);
        expect(replay(document, machine.history)).toEqual(machine.state);
      }),
      { numRuns: RUNS / 10 },
    );
  });
});

/** Undefined when the machine has run in a circle. */
function trace({ sketch, script }: RandomCase): unknown[] | undefined {
  const machine = createMachine(buildChart(sketch));
  const steps: unknown[] = [[machine.active(), machine.logs()]];
  for (const event of script) {
    if (machine.state.status !== "active") break;
    const events = machine.send(event);
    steps.push([machine.active(), machine.logs(events)]);
  }
  return machine.state.status === "failed" ? undefined : steps;
}

function traceXState({ sketch, script }: RandomCase): unknown[] {
  const run = runXState(sketch);
  const steps: unknown[] = [[run.active(), run.logs.splice(0)]];
  for (const event of script) {
    if (run.isDone()) break;
    run.send(event);
    steps.push([run.active(), run.logs.splice(0)]);
  }
  return steps;
}

function describeCase({ sketch, script }: RandomCase): string {
  const lines = (states: readonly StateSketch[], indent: string): string[] =>
    states.flatMap((state) => [
      `${indent}${state.id}${state.parallel ? " parallel" : ""}${state.final ? " final" : ""}${state.history ? ` ${state.history}` : ""}${state.initial === undefined ? "" : ` initial=${String(state.initial)}`}`,
      ...(state.on ?? []).map(
        ({ event = "-", guard, to, internal }) =>
          `${indent}  ${event} ${guard ?? ""} → ${String(to)}${internal ? " internal" : ""}`,
      ),
      ...lines(state.states ?? [], `${indent}    `),
    ]);
  return `${lines(sketch.states, "").join("\n")}\n${script.join(" ")}\n`;
}
