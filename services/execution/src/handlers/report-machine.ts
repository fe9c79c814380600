import { create } from "@bufbuild/protobuf";
import {
  type ReportMachineRequest,
  type ReportMachineResponse,
  ReportMachineResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createRequestPayloadReader, readFailure } from "@heddle/journal-service";
import { type ExecutionContext, idOf } from "./context.ts";

export async function reportMachine(
  context: ExecutionContext,
  request: ReportMachineRequest,
): Promise<ReportMachineResponse> {
  const { nodeId, end } = request;
  const machineId = request.machineId.toLowerCase();
  if (end.case === "output") {
    const output = createRequestPayloadReader("output").read(end.value) ?? null;
    await context.runtime.submit(idOf(request), { type: "complete_machine", nodeId, machineId, output });
  } else {
    const failure = readFailure(end.value, createRequestPayloadReader("failure.details"));
    await context.runtime.submit(idOf(request), { type: "fail_machine", nodeId, machineId, failure });
  }
  return create(ReportMachineResponseSchema);
}
