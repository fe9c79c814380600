import { expect } from "vitest";
import { buildChart, type ChartSketch } from "./build-chart.ts";
import { createMachine, replay, type TestMachine } from "./machine.ts";

type Options = Parameters<typeof createMachine>[1];

/**
 * Runs the script on a machine, and on one that comes back from its snapshot or its history before every command: both must
 * do the same, and a replay of every prefix of the history that ends with a command must give the state that there was.
 */
export function play(sketch: ChartSketch, script: (machine: TestMachine) => void, options: Options = {}): TestMachine {
  const document = buildChart(sketch);
  const machine = createMachine(document, options);
  script(machine);
  const crashing = createMachine(document, { ...options, crashes: true });
  script(crashing);
  expect(crashing.history).toEqual(machine.history);
  expect(replay(document, machine.history)).toEqual(machine.state);
  return machine;
}

/** What a machine logs after a script of events. */
export function logsOf(sketch: ChartSketch, ...events: string[]): unknown[] {
  return play(sketch, ({ send }) => {
    for (const event of events) send(event);
  }).logs();
}

/** Where a machine is after a script of events. */
export function activeOf(sketch: ChartSketch, ...events: string[]): string[] {
  return play(sketch, ({ send }) => {
    for (const event of events) send(event);
  }).active();
}
