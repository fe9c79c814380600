import type { Chart } from "./chart.ts";
import type { ChartInvocation } from "./chart-document.ts";
import { type Invocation, isOver, type MachineState, type Message } from "./machine-state.ts";

/** What must be true outside, as it follows from a state. Repeated until the outside has answered with a command. */
export interface MachineObligations {
  /** To be running; each has an id of its own that never comes again. */
  invocations: InvocationObligation[];
  /** To be stopped: `acknowledge_cancellation` says that it is. */
  cancellations: CancellationObligation[];
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
  labels: MachineState["labels"];
  /** What it is outside, when that is known: it need not be started then. */
  startedId?: string;
}

export interface CancellationObligation extends Pick<InvocationObligation, "invokeId" | "token" | "key" | "startedId"> {
  kind: ChartInvocation["kind"];
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
        key: keyOf(machineId, invocation),
        input: invocation.input,
        definition: found.definition,
        labels: state.labels,
        ...(invocation.startedId !== undefined && { startedId: invocation.startedId }),
      },
    ];
  };
  return {
    invocations: isOver(state) ? [] : state.invocations.flatMap(describe),
    // Not by the chart: that of another version may not have the invocation any more.
    cancellations: state.cancellations.map((invocation) => ({
      invokeId: invocation.id,
      kind: invocation.kind,
      token: invocation.token,
      key: keyOf(machineId, invocation),
      ...(invocation.startedId !== undefined && { startedId: invocation.startedId }),
    })),
    messages: state.messages,
  };
}

function keyOf(machineId: string, { id, token }: Invocation): string {
  return `${machineId}/${id}/${token}`;
}

/** When `fire_timers` is next to be asked, in milliseconds since the epoch; undefined: not before something else happens. */
export function nextTimerAt(state: MachineState): number | undefined {
  if (state.status !== "active") return undefined;
  if (state.queue.length > 0) return state.updatedAt;
  let next: number | undefined;
  for (const { dueAt } of state.timers) if (next === undefined || dueAt < next) next = dueAt;
  return next;
}
