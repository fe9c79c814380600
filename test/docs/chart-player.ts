import type { Json, JsonObject } from "@heddle/engine";
import {
  activeStates,
  type ChartDocument,
  decide,
  decodeMachine,
  encodeMachine,
  evolve,
  isOver,
  linkChart,
  type MachineCommand,
  type MachineEvent,
  type MachineState,
  nextTimerAt,
  obligations,
} from "@heddle/statechart";
import { expect } from "vitest";
import type { Player, TraceCommand } from "./player.ts";

const MACHINE_ID = "01900000-0000-7000-8000-000000000001";

export function createChartPlayer(document: ChartDocument): Player {
  const chart = linkChart(document);
  const history: MachineEvent[] = [];
  let machine: MachineState | undefined;
  let now = Date.UTC(2030, 0, 1);

  function send(command: MachineCommand): MachineEvent[] {
    const { state, events } = decide(chart, machine, command, { machineId: MACHINE_ID, now });
    machine = state;
    history.push(...structuredClone(events));
    for (const { token } of obligations(chart, state, MACHINE_ID).cancellations) {
      events.push(...send({ type: "acknowledge_cancellation", token }));
    }
    return events;
  }

  function dueAt(): number | undefined {
    return machine === undefined || isOver(machine) ? undefined : nextTimerAt(machine);
  }

  function pass(ms: number): MachineEvent[] {
    const end = now + ms;
    const events: MachineEvent[] = [];
    for (let due = dueAt(); due !== undefined && due <= end; due = dueAt()) {
      now = Math.max(now, due);
      events.push(...send({ type: "fire_timers" }));
    }
    now = end;
    return events;
  }

  function run(command: TraceCommand): MachineEvent[] {
    switch (command.verb) {
      case "start":
        return send({
          type: "create",
          create: {
            namespace: "default",
            workflowId: document.workflowId,
            version: 1,
            key: "",
            requestId: "",
            labels: {},
            context: command.input as JsonObject,
          },
        });
      case "send":
        return send({ type: "send", name: command.name, data: command.data as Json, requestId: "" });
      case "pass":
        return pass(command.ms);
      case "cancel":
        return send({ type: "delete", reason: "" });
      default: {
        const { name: invokeId } = command;
        const token = machine?.invocations.find(({ id }) => id === invokeId)?.token ?? 0;
        return command.verb === "gives"
          ? send({ type: "complete_invocation", invokeId, token, output: command.output as Json })
          : send({
              type: "fail_invocation",
              invokeId,
              token,
              failure: { type: command.type, message: command.message },
            });
      }
    }
  }

  return {
    play(command) {
      const invoked = new Set(machine?.invocations.map(({ token }) => token));
      const lines = run(command).flatMap(describe);
      const running = machine?.invocations ?? [];
      const left = new Set(running.map(({ token }) => token));
      lines.push(...running.filter(({ token }) => !invoked.has(token)).map(({ id }) => `${id} runs`));
      const hasStopped = [...invoked].some((token) => !left.has(token));
      if (hasStopped && command.verb !== "gives" && command.verb !== "fails") lines.push("what ran there is stopped");
      if (machine !== undefined && !isOver(machine)) lines.push(`in ${activeStates(chart, machine).join(", ")}`);
      return lines;
    },
    check() {
      let replayed: MachineState | undefined;
      for (const event of history) replayed = evolve(chart, replayed, structuredClone(event));
      expect(decodeMachine(encodeMachine(replayed as MachineState))).toEqual(
        decodeMachine(encodeMachine(machine as MachineState)),
      );
    },
  };
}

function describe(event: MachineEvent): string[] {
  switch (event.type) {
    case "microstep":
      return event.effects.flatMap((effect) =>
        effect.type === "logged" ? [`logs ${JSON.stringify(effect.message)}`] : [],
      );
    case "event_dropped":
      return [`${event.name} is dropped`];
    case "event_queued":
      return [`${event.name} waits`];
    case "machine_finished":
      return [`finished ${JSON.stringify(event.output)}`];
    case "machine_failed":
      return [`failed (${event.failure.type}) ${event.failure.message}`];
    case "machine_deleted":
      return ["deleted"];
    default:
      return [];
  }
}
