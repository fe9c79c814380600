import { create, fromJson } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Failure } from "@heddle/engine";
import { type Failure as ProtoFailure, FailureSchema } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import {
  type Machine as MachineMessage,
  MachineSchema,
  type MachineStatus,
} from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { activeStates, enabledEvents, type MachineState, nextTimerAt } from "@heddle/statechart";
import type { Machine } from "./aggregate.ts";
import { STATUS } from "./enums.ts";
import { toProtoParent } from "./event-to-proto.ts";

export function toStatus(status: MachineState["status"]): MachineStatus {
  return STATUS[status];
}

/** The machine as it stands. */
export function toMachine(id: string, { chart, state, seq }: Machine): MachineMessage {
  const timerAt = nextTimerAt(state);
  return create(MachineSchema, {
    machineId: id,
    namespace: state.namespace,
    workflowId: state.workflowId,
    version: state.version,
    key: state.key,
    status: STATUS[state.status],
    configuration: activeStates(chart, state),
    context: state.context,
    enabledEvents: state.status === "finished" || state.status === "deleted" ? [] : enabledEvents(chart, state),
    labels: state.labels,
    createdAt: timestampFromMs(state.createdAt),
    finishedAt: state.endedAt === undefined ? undefined : timestampFromMs(state.endedAt),
    lastSeq: BigInt(seq),
    output: state.output === undefined ? undefined : fromJson(ValueSchema, state.output),
    failure: state.failure === undefined ? undefined : toFailure(state.failure),
    parent: toProtoParent(state.parent),
    invocations: state.invocations.map((invocation) => ({
      invokeId: invocation.id,
      state: invocation.state,
      kind: invocation.kind,
      token: BigInt(invocation.token),
      startedId: invocation.startedId ?? "",
    })),
    nextTimerAt: timerAt === undefined ? undefined : timestampFromMs(timerAt),
    queuedEvents: state.queue.length + state.deferred.length,
  });
}

function toFailure({ type, message, details }: Failure): ProtoFailure {
  return create(FailureSchema, {
    type,
    message,
    details: details === undefined ? undefined : { form: { case: "json", value: JSON.stringify(details) } },
  });
}
