import { create } from "@bufbuild/protobuf";
import type { Json } from "@heddle/engine";
import { createRequestPayloadReader, readFailure } from "@heddle/journal-service";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import {
  type ReportInvocationRequest,
  type ReportInvocationResponse,
  ReportInvocationResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { DomainError } from "@heddle/errors";
import type { MachineCommand } from "../domain/aggregate.ts";
import { idOf, type MachineContext } from "./context.ts";

export async function reportInvocation(
  { runtime }: Pick<MachineContext, "runtime">,
  request: ReportInvocationRequest,
): Promise<ReportInvocationResponse> {
  await runtime.submit(idOf(request), commandOf(request));
  return create(ReportInvocationResponseSchema);
}

function commandOf({ invokeId, token, report, requestId, eventName }: ReportInvocationRequest): MachineCommand {
  const run = { invokeId, token: Number(token) };
  switch (report.case) {
    case "output":
      return { type: "complete_invocation", ...run, output: read("output", report.value) };
    case "failure":
      return {
        type: "fail_invocation",
        ...run,
        failure: readFailure(report.value, createRequestPayloadReader("failure.details")),
      };
    case "progress":
      return {
        type: "report_progress",
        ...run,
        data: progressOf(eventName, read("progress", report.value)),
        requestId,
      };
    case undefined:
      throw new DomainError({
        kind: "invalid_argument",
        reason: "REQUEST_INVALID",
        message: "report must be given: output, failure or progress",
        violations: [{ field: "report", description: "must be given" }],
      });
  }
}

/** One with a name is what an execution has emitted. */
function progressOf(name: string, payload: Json): Json {
  return name === "" ? payload : { name, payload };
}

function read(field: string, payload: Payload): Json {
  return createRequestPayloadReader(field).read(payload) ?? null;
}
