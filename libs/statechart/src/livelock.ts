import type { Chart, LinkedState } from "./chart.ts";

/** Where a microstep led, and by what. */
export interface Footprint {
  configuration: readonly number[];
  /** Empty for an eventless transition. */
  event: string;
}

/** Longest circle that is looked for; and of it at most so many steps are told. */
const LONGEST_CYCLE = 100;
const STEPS_TOLD = 8;

/** Says in which circle a macrostep runs, as the message of the incident. */
export function describeCycle(chart: Chart, footprints: readonly Footprint[]): string {
  const period = findPeriod(footprints);
  const what = `one event takes more than ${footprints.length - 1} microsteps`;
  if (period === undefined)
    return `${what} and does not come to rest; the last led to ${describe(chart, footprints.at(-1))}`;
  const circle = footprints.slice(-period);
  const told = circle.slice(0, STEPS_TOLD).map((footprint) => describe(chart, footprint));
  const rest = circle.length > STEPS_TOLD ? ` and ${circle.length - STEPS_TOLD} more` : "";
  return `${what}: it runs in a circle of ${period} (${told.join(" → ")}${rest} → …); give one of these transitions a guard that becomes false, or an event from outside`;
}

/** The shortest one that the end repeats twice. */
function findPeriod(footprints: readonly Footprint[]): number | undefined {
  const keys = footprints.map(({ configuration, event }) => `${event}|${configuration.join(",")}`);
  for (let period = 1; period <= LONGEST_CYCLE && period * 2 <= keys.length; period++) {
    const isRepeated = keys.slice(-period).every((key, index) => key === keys[keys.length - 2 * period + index]);
    if (isRepeated) return period;
  }
  return undefined;
}

function describe(chart: Chart, footprint: Footprint | undefined): string {
  if (footprint === undefined) return "nowhere";
  const atomic = footprint.configuration
    .map((index) => chart.states[index] as LinkedState)
    .filter(({ kind }) => kind === "atomic" || kind === "final")
    .map(({ id }) => id);
  return footprint.event === "" ? atomic.join("+") : `${atomic.join("+")} by ${footprint.event}`;
}
