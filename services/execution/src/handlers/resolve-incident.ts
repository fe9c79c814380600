import { create, toJson } from "@bufbuild/protobuf";
import { timestampMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import type { IncidentResolution } from "@heddle/engine";
import {
  type ResolveIncidentRequest,
  type ResolveIncidentResponse,
  ResolveIncidentResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeChanged, type ExecutionContext, idOf } from "./context.ts";

export async function resolveIncident(
  context: ExecutionContext,
  request: ResolveIncidentRequest,
  call: HandlerContext,
): Promise<ResolveIncidentResponse> {
  const id = idOf(request);
  const { nodeId, reason, openedAt } = request;
  await context.runtime.submit(id, {
    type: "resolve_incident",
    nodeId,
    resolution: resolutionOf(request.resolution),
    reason,
    ...(openedAt !== undefined && { openedAt: timestampMs(openedAt) }),
  });
  return create(ResolveIncidentResponseSchema, { execution: await describeChanged(context, id, call) });
}

/** The validation of requests lets none through without one. */
function resolutionOf(resolution: ResolveIncidentRequest["resolution"]): IncidentResolution {
  switch (resolution.case) {
    case "retry": {
      const { input } = resolution.value;
      return { action: "retry", ...(input !== undefined && { input: toJson(ValueSchema, input) }) };
    }
    case "complete":
      return { action: "complete", output: toJson(ValueSchema, resolution.value) };
    case "skip":
      return { action: "skip" };
    default:
      return { action: "fail" };
  }
}
