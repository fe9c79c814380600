import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type ResumeExecutionRequest,
  type ResumeExecutionResponse,
  ResumeExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeChanged, type ExecutionContext } from "./context.ts";
import { withTarget } from "./target.ts";

export async function resumeExecution(
  context: ExecutionContext,
  request: ResumeExecutionRequest,
  call: HandlerContext,
): Promise<ResumeExecutionResponse> {
  return await withTarget(context, request, async (id) => {
    await context.runtime.submit(id, { type: "resume", reason: request.reason });
    return create(ResumeExecutionResponseSchema, { execution: await describeChanged(context, id, call) });
  });
}
