import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type ResetExecutionRequest,
  type ResetExecutionResponse,
  ResetExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeChanged, type ExecutionContext, idOf } from "./context.ts";

export async function resetExecution(
  context: ExecutionContext,
  request: ResetExecutionRequest,
  call: HandlerContext,
): Promise<ResetExecutionResponse> {
  const id = idOf(request);
  const { fromNodeIds: from, reason, requestId } = request;
  await context.runtime.submit(id, { type: "reset", from, reason, requestId });
  return create(ResetExecutionResponseSchema, { execution: await describeChanged(context, id, call) });
}
