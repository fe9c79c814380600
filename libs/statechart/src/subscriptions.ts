import { toText } from "@heddle/engine";
import type { Scope } from "@heddle/expression";
import type { Chart, LinkedState, LinkedSubscription } from "./chart.ts";
import type { ChartSubscription } from "./chart-document.ts";
import { ChartFault, evaluate } from "./fault.ts";
import { isOver, type MachineState } from "./machine-state.ts";
import { describeMachine } from "./scope.ts";

/** What a machine wants to hear of executions where it stands. */
export interface MachineSubscription extends Pick<ChartSubscription, "workflowId" | "statuses"> {
  /** Empty: `execution.<status>`. */
  event: string;
  /** An execution must have all of them. */
  labels: Record<string, string>;
}

/**
 * Follows from the state, as obligations do. Labels see what the machine is and not what it holds, so nothing needs to
 * be remembered of their values.
 */
export function subscriptionsOf(chart: Chart, state: MachineState, machineId: string): MachineSubscription[] {
  if (!chart.subscribes || isOver(state)) return [];
  const machine = describeMachine(state, machineId);
  const scope: Scope = {
    get: (name) => (name === "machine" ? machine : undefined),
    names: () => ["machine"],
  };
  const active = [chart.root, ...state.configuration.map((index) => chart.states[index] as LinkedState)];
  return active.flatMap(({ subscriptions }) =>
    subscriptions.flatMap(({ definition: { workflowId, statuses, event = "" }, labels }) => {
      const values = evaluateLabels(labels, scope);
      return values === undefined ? [] : [{ workflowId, statuses, event, labels: values }];
    }),
  );
}

/** Undefined when one cannot be evaluated: no execution has it. */
function evaluateLabels(labels: LinkedSubscription["labels"], scope: Scope): Record<string, string> | undefined {
  try {
    return Object.fromEntries(labels.map(({ name, value }) => [name, toText(evaluate(value, scope))]));
  } catch (fault) {
    if (fault instanceof ChartFault) return undefined;
    throw fault;
  }
}
