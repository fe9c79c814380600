import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type {
  LiveExecution,
  NodeWait,
  ParentNode,
  ReplayOutcome,
  ScheduledTask,
  StoredExecution,
  StoredMachine,
  WorkerLoad,
} from "@heddle/doctor";
import type {
  LiveExecution as LiveMessage,
  NodeWait as WaitMessage,
  ReplayOutcome as ReplayMessage,
  StoredExecution as StoredMessage,
} from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import type { ParentNode as ParentMessage } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import {
  type InspectedTask,
  InspectedTaskState,
  type InspectedWorker,
} from "@heddle/proto/heddle/scheduler/v1/diagnostics_service_pb.js";

import {
  OwedWorkKind,
  type StoredMachine as MachineMessage,
} from "@heddle/proto/heddle/statemachine/v1/diagnostics_service_pb.js";

/** What the services say, as the checks take it: times and numbers as numbers, nothing for what is not set. */

export function toStored(message: StoredMessage): StoredExecution {
  const { executionId, namespace, ended, lastSeq, requestId, parent, history, replay, nextTimerAt, purged } = message;
  return {
    executionId,
    namespace,
    ended,
    lastSeq: Number(lastSeq),
    requestId,
    // What was purged had all of it.
    history: purged
      ? [{ first: 1, last: Number(lastSeq) }]
      : history.map(({ first, last }) => ({ first: Number(first), last: Number(last) })),
    activeNodes: message.activeNodes,
    ...(parent !== undefined && { parent: toParent(parent) }),
    ...(replay !== undefined && { replay: toOutcome(replay) }),
    ...timeOf("nextTimerAt", nextTimerAt),
  };
}

function toParent({ executionId, nodeId, outlives }: ParentMessage): ParentNode {
  return { executionId, nodeId, ...(outlives && { outlives }) };
}

export function toLive(message: LiveMessage): LiveExecution {
  const { executionId, namespace, requestId, lastSeq, ended, suspended, quarantined, parent, replay } = message;
  return {
    executionId,
    namespace,
    requestId,
    lastSeq: Number(lastSeq),
    ended,
    suspended,
    quarantined,
    waits: message.waits.map(toWait),
    ...(parent !== undefined && { parent: toParent(parent) }),
    ...(replay !== undefined && { replay: toOutcome(replay) }),
    ...timeOf("nextTimerAt", message.nextTimerAt),
    ...timeOf("armedTimerAt", message.armedTimerAt),
  };
}

export function toStoredMachine(message: MachineMessage): StoredMachine {
  const { machineId, namespace, ended, suspended, lastSeq, history, replay, nextTimerAt, parentMachineId } = message;
  return {
    machineId,
    namespace,
    ended,
    suspended,
    lastSeq: Number(lastSeq),
    history: history.map(({ first, last }) => ({ first: Number(first), last: Number(last) })),
    owed: message.owed.map(({ kind, name }) => ({ kind: OWED[kind] ?? "message", name })),
    running: message.running.map(({ invokeId, startedId, machine }) => ({
      invokeId,
      startedId,
      kind: machine ? "machine" : "execution",
    })),
    ...(replay !== undefined && {
      replay: { reachedSeq: Number(replay.reachedSeq), difference: replay.difference },
    }),
    ...(parentMachineId !== "" && { parentMachineId }),
    ...timeOf("nextTimerAt", nextTimerAt),
  };
}

const OWED: Readonly<Partial<Record<OwedWorkKind, StoredMachine["owed"][number]["kind"]>>> = {
  [OwedWorkKind.START]: "start",
  [OwedWorkKind.CANCEL]: "cancel",
};

export function toTask({ taskId, state, workerId }: InspectedTask, shard: number): ScheduledTask {
  return { taskId, shard, state: STATES[state] ?? "waiting", workerId };
}

export function toWorker({ namespace, workerId, slots, leases, capabilities }: InspectedWorker): WorkerLoad {
  return {
    namespace,
    workerId,
    slots,
    leases,
    capabilities: capabilities.map(({ name, maxConcurrent, running }) => ({ name, maxConcurrent, running })),
  };
}

const STATES: Readonly<Partial<Record<InspectedTaskState, ScheduledTask["state"]>>> = {
  [InspectedTaskState.RECOVERING]: "recovering",
  [InspectedTaskState.RUNNING]: "running",
  [InspectedTaskState.FINISHED]: "finished",
};

function toWait({
  nodeId,
  taskId,
  taskOpen,
  childExecutionId,
  signal,
  event,
  humanTaskId,
  dueAt,
  branches,
  machine,
  incident,
}: WaitMessage): NodeWait {
  return {
    nodeId,
    branches,
    machine,
    ...(incident && { incident }),
    ...(taskId !== "" && { taskId, taskOpen }),
    ...(childExecutionId !== "" && { childExecutionId }),
    ...(signal !== "" && { signal }),
    ...(event !== "" && { event }),
    ...(humanTaskId !== "" && { humanTaskId }),
    ...timeOf("dueAt", dueAt),
  };
}

function toOutcome({ reachedSeq, difference }: ReplayMessage): ReplayOutcome {
  return { reachedSeq: Number(reachedSeq), difference };
}

function timeOf<Name extends string>(name: Name, time: Timestamp | undefined): Partial<Record<Name, number>> {
  return time === undefined ? {} : ({ [name]: timestampMs(time) } as Record<Name, number>);
}
