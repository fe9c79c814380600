import { create } from "@bufbuild/protobuf";
import {
  type CancelExecutionRequest,
  type CancelExecutionResponse,
  CancelExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeExecution, type ExecutionContext, idOf } from "./context.ts";

export async function cancelExecution(
  context: ExecutionContext,
  request: CancelExecutionRequest,
): Promise<CancelExecutionResponse> {
  const id = idOf(request);
  await context.runtime.submit(id, { type: "cancel", reason: request.reason });
  return create(CancelExecutionResponseSchema, { execution: await describeExecution(context, id) });
}
