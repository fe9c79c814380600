import { ancestorsOf, type Chart, isAtomic, type LinkedState } from "./chart.ts";
import { isReserved } from "./event-names.ts";
import type { MachineState } from "./machine-state.ts";

/** Names of the active atomic states, in document order. */
export function activeStates(chart: Chart, state: MachineState): string[] {
  return state.configuration
    .map((index) => chart.states[index] as LinkedState)
    .filter(isAtomic)
    .map(({ id }) => id);
}

/** Descriptors of events from outside that active states wait for, whatever their guards say, inner states first. */
export function enabledEvents(chart: Chart, state: MachineState): string[] {
  const found = new Set<string>();
  for (const index of state.configuration) {
    const active = chart.states[index] as LinkedState;
    if (!isAtomic(active)) continue;
    for (const source of [active, ...ancestorsOf(chart, active)]) {
      for (const { descriptors } of source.transitions) {
        for (const descriptor of descriptors) if (!isReserved(`${descriptor}.`)) found.add(descriptor);
      }
    }
  }
  return [...found];
}
