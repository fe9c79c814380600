import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type TerminateExecutionRequest,
  type TerminateExecutionResponse,
  TerminateExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeChanged, type ExecutionContext } from "./context.ts";
import { withTarget } from "./target.ts";

export async function terminateExecution(
  context: ExecutionContext,
  request: TerminateExecutionRequest,
  call: HandlerContext,
): Promise<TerminateExecutionResponse> {
  return await withTarget(context, request, async (id) => {
    await context.runtime.submit(id, { type: "terminate", reason: request.reason });
    return create(TerminateExecutionResponseSchema, { execution: await describeChanged(context, id, call) });
  });
}
