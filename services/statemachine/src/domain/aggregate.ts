import { DomainError } from "@heddle/errors";
import type { AggregateType } from "@heddle/journal";
import { type LoadedPlans, refuseTaken } from "@heddle/journal-service";
import {
  type Chart,
  decide,
  decodeMachine,
  encodeMachine,
  evolve,
  isOver,
  type MachineCommand as CoreCommand,
  type MachineEvent,
  type MachineState,
  nextTimerAt,
} from "@heddle/statechart";
import { nameWhatEnded } from "./ended.ts";
import { decodeEvent, encodeEvent } from "./event-codec.ts";

/** One machine in memory: the core's state with the chart that it runs. */
export interface Machine {
  chart: Chart;
  state: MachineState;
  /** Number of its last event. */
  seq: number;
}

/** The core's commands; a creation brings the chart along, because `decide` cannot fetch one. */
export type MachineCommand =
  | Exclude<CoreCommand, { type: "create" }>
  | (Extract<CoreCommand, { type: "create" }> & {
      chart: Chart;
      /** Asked at the moment of deciding: the machine that has this creation's key or request id already. */
      findTaken?: () => string | undefined;
    });

/** The machine as the journal runtime sees it: all decisions are the core's. */
export function createMachineAggregate(
  charts: LoadedPlans<Chart>,
): AggregateType<Machine, MachineCommand, MachineEvent> {
  return {
    decide(machine, command, { id, now }) {
      if (command.type === "create") refuseTaken("KEY_EXISTS", nameOf(command), command.findTaken?.());
      const chart = machine?.chart ?? chartOf(command, id);
      const { state, events } = decide(chart, machine?.state, command, { machineId: id, now });
      nameWhatEnded(events, state);
      return {
        state: {
          // A migration that changes nothing leaves the chart.
          chart: command.type === "migrate" && events.length > 0 ? command.chart : chart,
          state,
          seq: (machine?.seq ?? 0) + events.length,
        },
        events,
        reply: command.type === "send" ? wasHandled(state, command.requestId, events) : undefined,
      };
    },
    evolve(machine, event) {
      const chart = chartAfter(charts, machine, event);
      return { chart, state: evolve(chart, machine?.state, event), seq: (machine?.seq ?? 0) + 1 };
    },
    encodeEvent,
    decodeEvent,
    seq: (machine) => machine.seq,
    nextTimer({ state }) {
      const dueAt = nextTimerAt(state);
      return dueAt === undefined ? undefined : { dueAt, command: { type: "fire_timers" } };
    },
    isFinished: ({ state }) => isDone(state),
    prepare: (events) =>
      charts.load(events.filter((event) => event.type === "machine_created" || event.type === "machine_migrated")),
  };
}

/** Over, and nobody outside has still to be told of anything: it may leave memory. */
export function isDone(state: MachineState): boolean {
  return isOver(state) && state.cancellations.length === 0 && state.messages.length === 0;
}

/** A snapshot of a machine, without its chart. */
export function encodeSnapshot(machine: Machine): string {
  return encodeMachine(machine.state);
}

export function decodeSnapshot(chart: Chart, snapshot: string, seq: number): Machine {
  return { chart, state: decodeMachine(snapshot), seq };
}

export function machineNotFound(what: string): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "MACHINE_NOT_FOUND",
    message: `there is no machine ${what}; ListMachines shows those that there are`,
    metadata: { machine: what },
  });
}

/** Whether the event led somewhere; for a request id that was seen before, whether it did then. */
function wasHandled(state: MachineState, requestId: string, events: readonly MachineEvent[]): boolean {
  const [first] = events;
  if (first !== undefined) return first.type === "event_received";
  return !state.unhandledRequestIds.includes(requestId);
}

function nameOf({ create: { key, requestId } }: Extract<MachineCommand, { type: "create" }>): string {
  return key === "" ? `request id ${requestId}` : `key ${key}`;
}

function chartOf(command: MachineCommand, id: string): Chart {
  if (command.type === "create") return command.chart;
  throw machineNotFound(id);
}

function chartAfter(charts: LoadedPlans<Chart>, machine: Machine | undefined, event: MachineEvent): Chart {
  if (event.type === "machine_created" || event.type === "machine_migrated") return charts.get(event);
  if (machine === undefined) throw new Error(`a history begins with ${event.type}`);
  return machine.chart;
}
