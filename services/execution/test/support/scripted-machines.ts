import { create, toBinary } from "@bufbuild/protobuf";
import { randomUUID } from "node:crypto";
import { DomainError } from "@heddle/errors";
import type { EventBus, EventMessage } from "@heddle/events";
import { type Machine, MachineSchema, MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import {
  type StateMachineEvent,
  StateMachineEventSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import {
  type CreateMachineRequest,
  StateMachineService,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import type { Routes } from "@heddle/rpc";

/** Stands in for the statemachine service: machines that do nothing by themselves. */
export interface ScriptedMachines {
  routes: Routes;
  /** What was asked, in order: `create <request id>`, `send <event>`, `delete <machine id>`. */
  calls: string[];
  machines: Map<string, Machine>;
  /** Fails the next call with this, or all while it is a function that gives an error. */
  refuse: (call: string) => DomainError | undefined;
  /** Publishes how a machine has ended. */
  end(bus: EventBus, machine: Machine, event: StateMachineEvent["event"]): Promise<void>;
}

export function createScriptedMachines(): ScriptedMachines {
  const byRequest = new Map<string, Machine>();
  let seq = 0;
  const scripted: ScriptedMachines = {
    calls: [],
    machines: new Map(),
    refuse: () => undefined,
    routes: (router) =>
      router.service(StateMachineService, {
        createMachine(request) {
          take(`create ${request.requestId}`);
          const existing = byRequest.get(request.requestId);
          const machine = existing ?? createMachine(request);
          byRequest.set(request.requestId, machine);
          scripted.machines.set(machine.machineId, machine);
          // As if the answer had been lost.
          take(`created ${request.requestId}`);
          return { machine, created: existing === undefined };
        },
        sendEvent(request) {
          take(`send ${request.event} ${request.requestId}`);
          return { machine: scripted.machines.get(request.machineId), handled: true };
        },
        deleteMachine(request) {
          take(`delete ${request.machineId}`);
          return {};
        },
      }),
    async end(bus, machine, event) {
      seq += 1;
      const { machineId } = machine;
      const value = toBinary(StateMachineEventSchema, create(StateMachineEventSchema, { machineId, seq: 9n, event }));
      const message: EventMessage = {
        topic: StateMachineEventSchema.typeName,
        key: machineId,
        value,
        headers: {
          ce_id: `${machineId}/9`,
          ce_source: "/heddle/statemachine",
          ce_type: StateMachineEventSchema.typeName,
          ce_specversion: "1.0",
          ce_time: new Date().toISOString(),
          "content-type": "application/protobuf",
          "heddle-partition": "0",
          "heddle-offset": String(seq),
        },
      } as unknown as EventMessage;
      await bus.publish([message]);
    },
  };

  function take(call: string): void {
    if (!call.startsWith("created")) scripted.calls.push(call);
    const error = scripted.refuse(call);
    if (error !== undefined) throw error;
  }
  return scripted;
}

function createMachine(request: CreateMachineRequest): Machine {
  const { namespace, workflowId, key, context, parent } = request;
  return create(MachineSchema, {
    machineId: randomUUID(),
    namespace,
    workflowId,
    version: 1,
    key,
    context,
    parent,
    status: MachineStatus.ACTIVE,
  });
}

export function refusal(kind: DomainError["kind"], reason: string): DomainError {
  return new DomainError({ kind, reason, message: `the test refuses with ${reason}` });
}
