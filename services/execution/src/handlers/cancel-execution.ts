import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type CancelExecutionRequest,
  type CancelExecutionResponse,
  CancelExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeChanged, type ExecutionContext } from "./context.ts";
import { withTarget } from "./target.ts";

export async function cancelExecution(
  context: ExecutionContext,
  request: CancelExecutionRequest,
  call: HandlerContext,
): Promise<CancelExecutionResponse> {
  return await withTarget(context, request, async (id) => {
    await context.runtime.submit(id, { type: "cancel", reason: request.reason });
    return create(CancelExecutionResponseSchema, { execution: await describeChanged(context, id, call) });
  });
}
