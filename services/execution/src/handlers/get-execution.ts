import { create } from "@bufbuild/protobuf";
import {
  type GetExecutionRequest,
  type GetExecutionResponse,
  GetExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeExecution, type ExecutionContext, idOf } from "./context.ts";

export async function getExecution(
  context: ExecutionContext,
  request: GetExecutionRequest,
): Promise<GetExecutionResponse> {
  return create(GetExecutionResponseSchema, { execution: await describeExecution(context, idOf(request)) });
}
