import { create } from "@bufbuild/protobuf";
import type { Json } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import {
  type ReportMachineRequest,
  type ReportMachineResponse,
  ReportMachineResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createPayloadReader, readFailure } from "@heddle/journal-service";
import { type ExecutionContext, idOf } from "./context.ts";

export async function reportMachine(
  context: ExecutionContext,
  request: ReportMachineRequest,
): Promise<ReportMachineResponse> {
  const { nodeId, end } = request;
  const machineId = request.machineId.toLowerCase();
  const reader = createPayloadReader({ get: refuseReference });
  if (end.case === "output") {
    const output = readOutput(end.value);
    await context.runtime.submit(idOf(request), { type: "complete_machine", nodeId, machineId, output });
  } else {
    const failure = readFailure(end.value, reader);
    await context.runtime.submit(idOf(request), { type: "fail_machine", nodeId, machineId, failure });
  }
  return create(ReportMachineResponseSchema);
}

function readOutput({ form }: Payload): Json {
  if (form.case === "reference") return refuseReference(form.value.digest);
  return form.case === undefined ? null : (JSON.parse(form.value) as Json);
}

function refuseReference(digest: string): never {
  throw new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `payload ${digest} is a reference, and this service cannot look it up; send its text`,
    violations: [{ field: "end", description: "must hold the text of the payload" }],
  });
}
