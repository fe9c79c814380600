import type { JsonObject } from "@heddle/engine";
import type { Chart } from "./chart.ts";
import type { ChartInvocation } from "./chart-document.ts";
import { type Invocation, isOver, type MachineState, type Message } from "./machine-state.ts";

/** What must be true outside, as it follows from a state. Repeated until the outside has answered with a command. */
export interface MachineObligations {
  /** To be running; each has an id of its own that never comes again. */
  invocations: InvocationObligation[];
  /** To be stopped: `acknowledge_cancellation` says that it is. */
  cancellations: InvocationObligation[];
  /** To be delivered, in order: `acknowledge_message` says that it is, or why it cannot be. */
  messages: Message[];
}

export interface InvocationObligation {
  invokeId: string;
  token: number;
  /** Same for every repetition: `<machine id>/<invocation>/<token>`. */
  key: string;
  input: Invocation["input"];
  definition: ChartInvocation;
  labels: JsonObject;
}

export function obligations(chart: Chart, state: MachineState, machineId: string): MachineObligations {
  const describe = (invocation: Invocation): InvocationObligation[] => {
    const index = chart.indices.get(invocation.state);
    const linked = index === undefined ? undefined : chart.states[index];
    const found = linked?.invocations.find(({ id }) => id === invocation.id);
    if (found === undefined) return [];
    return [
      {
        invokeId: invocation.id,
        token: invocation.token,
        key: `${machineId}/${invocation.id}/${invocation.token}`,
        input: invocation.input,
        definition: found.definition,
        labels: state.labels,
      },
    ];
  };
  return {
    invocations: isOver(state) ? [] : state.invocations.flatMap(describe),
    cancellations: state.cancellations.flatMap(describe),
    messages: state.messages,
  };
}

/** When `fire_timers` is next to be asked, in milliseconds since the epoch; undefined: not before something else happens. */
export function nextTimerAt(state: MachineState): number | undefined {
  if (state.status !== "active") return undefined;
  if (state.queue.length > 0) return state.updatedAt;
  let next: number | undefined;
  for (const { dueAt } of state.timers) if (next === undefined || dueAt < next) next = dueAt;
  return next;
}
