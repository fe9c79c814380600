import { create } from "@bufbuild/protobuf";
import {
  type GetExecutionRequest,
  type GetExecutionResponse,
  GetExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeExecution, type ExecutionContext } from "./context.ts";
import { withTarget } from "./target.ts";

export async function getExecution(
  context: ExecutionContext,
  request: GetExecutionRequest,
): Promise<GetExecutionResponse> {
  return await withTarget(context, request, async (id) =>
    create(GetExecutionResponseSchema, { execution: await describeExecution(context, id) }),
  );
}
