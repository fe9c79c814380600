import type { Json, JsonObject } from "@heddle/engine";
import {
  activeStates,
  type ChartDocument,
  decide,
  decodeMachine,
  encodeMachine,
  evolve,
  linkChart,
  type MachineCommand,
  type MachineEvent,
  type MachineState,
  nextTimerAt,
} from "../../src/index.ts";

/** A machine as its service would run it: every command on a state that went through a snapshot, if so wanted. */
export interface TestMachine {
  state: MachineState;
  readonly history: MachineEvent[];
  now: number;
  run(command: MachineCommand): MachineEvent[];
  send(name: string, data?: Json, requestId?: string): MachineEvent[];
  /** Lets time pass and fires what is due on the way, each at its time. */
  wait(ms: number): MachineEvent[];
  active(): string[];
  logs(events?: readonly MachineEvent[]): string[];
}

export const MACHINE_ID = "01900000-0000-7000-8000-000000000001";

export function createMachine(
  document: ChartDocument,
  options: { context?: JsonObject; crashes?: boolean; parent?: MachineState["parent"] } = {},
): TestMachine {
  const chart = linkChart(document);
  const machine: TestMachine = {
    state: undefined as unknown as MachineState,
    history: [],
    now: 1_000,
    run(command) {
      // A crash between two commands: the state comes back from its snapshot, or from its events.
      if (options.crashes && machine.state !== undefined) {
        machine.state =
          machine.history.length % 2 === 0
            ? decodeMachine(encodeMachine(machine.state))
            : replay(document, machine.history);
      }
      const { state, events } = decide(chart, machine.state, command, { machineId: MACHINE_ID, now: machine.now });
      machine.state = state;
      // What was stored cannot share anything with the state that lives on.
      machine.history.push(...structuredClone(events));
      return events;
    },
    send: (name, data = null, requestId = "") => machine.run({ type: "send", name, data, requestId }),
    wait(ms) {
      const end = machine.now + ms;
      const events: MachineEvent[] = [];
      for (let due = nextTimerAt(machine.state); due !== undefined && due <= end; due = nextTimerAt(machine.state)) {
        machine.now = Math.max(machine.now, due);
        events.push(...machine.run({ type: "fire_timers" }));
      }
      machine.now = end;
      return events;
    },
    active: () => activeStates(chart, machine.state),
    logs: (events = machine.history) =>
      events.flatMap((event) =>
        event.type === "microstep" || event.type === "machine_finished"
          ? event.effects.flatMap((effect) => (effect.type === "logged" ? [effect.message] : []))
          : [],
      ),
  };
  machine.run({
    type: "create",
    create: {
      namespace: "default",
      workflowId: document.workflowId,
      version: 1,
      key: "",
      requestId: "",
      labels: {},
      context: options.context ?? {},
      ...(options.parent && { parent: options.parent }),
    },
  });
  return machine;
}

export function replay(document: ChartDocument, history: readonly MachineEvent[]): MachineState {
  const chart = linkChart(document);
  let state: MachineState | undefined;
  for (const event of history) state = evolve(chart, state, structuredClone(event));
  return state as MachineState;
}
