import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Failure, Json } from "@heddle/engine";
import type { Failure as ProtoFailure } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import { type Execution, ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { type Machine, MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";

/** How something ended that a machine has invoked. */
export type End = { output: Json } | { failure: Failure };

/** Undefined while it goes on. */
export function endOfExecution({ status, output, failure }: Execution): End | undefined {
  switch (status) {
    case ExecutionStatus.COMPLETED:
      return { output: output === undefined ? null : toJson(ValueSchema, output) };
    case ExecutionStatus.FAILED:
    case ExecutionStatus.CANCELED:
      return { failure: toFailure(failure, "failed") };
    default:
      return undefined;
  }
}

/** Undefined while it goes on. */
export function endOfMachine({ status, output, failure }: Machine): End | undefined {
  switch (status) {
    case MachineStatus.FINISHED:
      return { output: output === undefined ? null : toJson(ValueSchema, output) };
    case MachineStatus.FAILED:
      return { failure: toFailure(failure, "failed") };
    case MachineStatus.DELETED:
      return { failure: { type: "deleted", message: "the machine was deleted" } };
    default:
      return undefined;
  }
}

function toFailure(failure: ProtoFailure | undefined, type: string): Failure {
  return { type: failure?.type || type, message: failure?.message ?? "" };
}
