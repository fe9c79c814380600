import {
  type Machine as MachineMessage,
  MachineStatusSchema,
} from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { MachineParentKindSchema } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { Json, JsonObject } from "../json.ts";
import { enumName, plainFailure, plainTime, plainValue, type Failure } from "./plain.ts";

export type MachineStatus = "active" | "suspended" | "finished" | "failed" | "deleted";

/** One instance of a state machine. */
export interface Machine {
  machineId: string;
  namespace: string;
  workflowId: string;
  version: number;
  /** Business key; may be empty. */
  key: string;
  status: MachineStatus;
  /** Active innermost states, in document order. */
  configuration: string[];
  /** The machine's data. Absent in lists. */
  context?: JsonObject;
  /** Events that lead somewhere from here. */
  enabledEvents: string[];
  labels: Record<string, string>;
  createdAt?: Date;
  finishedAt?: Date;
  /** Number of the last event of its history. */
  lastSeq: number;
  /** Set once it has finished. */
  output?: Json;
  /** Why it has failed. */
  failure?: Failure;
  /** Who waits for its end. */
  parent?: { kind: "execution" | "machine"; id: string; name: string };
  /** What its active states have invoked and that has not ended. `startedId` is an execution or machine; empty until that has begun. */
  invocations: { invokeId: string; state: string; kind: string; token: number; startedId: string }[];
  nextTimerAt?: Date;
  /** Events that wait. */
  queuedEvents: number;
}

export function plainMachine(message: MachineMessage): Machine {
  const { machineId, namespace, workflowId, version, key, configuration, context, enabledEvents, labels } = message;
  const { output, failure, parent } = message;
  return {
    machineId,
    namespace,
    workflowId,
    version,
    key,
    status: enumName(MachineStatusSchema, message.status),
    configuration,
    ...(context && { context }),
    enabledEvents,
    labels,
    createdAt: plainTime(message.createdAt),
    finishedAt: plainTime(message.finishedAt),
    lastSeq: Number(message.lastSeq),
    ...(output && { output: plainValue(output) }),
    ...(failure && { failure: plainFailure(failure) }),
    ...(parent && {
      parent: { kind: enumName(MachineParentKindSchema, parent.kind), id: parent.id, name: parent.name },
    }),
    invocations: message.invocations.map(({ invokeId, state, kind, token, startedId }) => ({
      invokeId,
      state,
      kind,
      token: Number(token),
      startedId,
    })),
    nextTimerAt: plainTime(message.nextTimerAt),
    queuedEvents: message.queuedEvents,
  };
}
