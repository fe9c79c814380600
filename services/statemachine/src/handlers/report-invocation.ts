import { create } from "@bufbuild/protobuf";
import type { Json } from "@heddle/engine";
import { createPayloadReader, readFailure } from "@heddle/journal-service";
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
      return { type: "complete_invocation", ...run, output: valueOf(report.value) };
    case "failure":
      return { type: "fail_invocation", ...run, failure: readFailure(report.value, reader) };
    case "progress":
      return { type: "report_progress", ...run, data: progressOf(eventName, valueOf(report.value)), requestId };
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

/** The caller's payloads are in the request: what a reference names, this service does not have. */
const reader = createPayloadReader({
  get(digest) {
    throw new DomainError({
      kind: "invalid_argument",
      reason: "REQUEST_INVALID",
      message: `a report takes values and no references, as to ${digest}`,
      violations: [{ field: "report", description: "must be a value" }],
    });
  },
});

function valueOf(payload: Parameters<typeof reader.read>[0]): Json {
  return reader.read(payload) ?? null;
}
