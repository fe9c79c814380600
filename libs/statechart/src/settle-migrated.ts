import type { LinkedState } from "./chart.ts";
import { evaluate } from "./fault.ts";
import { runToCompletion, startInvocations } from "./macrostep.ts";
import { initializeOne, setTimers } from "./microstep.ts";
import { createScope } from "./scope.ts";
import { commitStep, type Macrostep } from "./turn.ts";

/**
 * Right after a migration: data, timers and invocations that the new version adds to where the machine stands. No state is
 * entered, so no entry actions run.
 *
 * @throws EndlessMacrostep
 */
export function settleMigrated(step: Macrostep): void {
  const { turn } = step;
  const { chart, state } = turn;
  const active = state.configuration.map((index) => chart.states[index] as LinkedState);
  const dataOf = chart.document.binding === "early" ? chart.states : [chart.root];
  for (const { data } of dataOf) {
    for (const { name, value } of data) {
      if (Object.hasOwn(state.context, name)) continue;
      initializeOne(step, name, () => evaluate(value, createScope(turn, undefined)));
    }
  }
  for (const entered of active) {
    const missing = entered.delayed.filter(({ delay }) => !state.timers.some(({ id }) => id === delay?.event));
    setTimers(step, entered, missing);
    if (entered.invocations.length > 0) step.toInvoke.add(entered);
  }
  commitStep(turn, "");
  if (state.status === "active") runToCompletion(step);
  else startInvocations(step);
}
