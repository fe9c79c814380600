import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type ResumeExecutionRequest,
  type ResumeExecutionResponse,
  ResumeExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeChanged, type ExecutionContext, idOf } from "./context.ts";

export async function resumeExecution(
  context: ExecutionContext,
  request: ResumeExecutionRequest,
  call: HandlerContext,
): Promise<ResumeExecutionResponse> {
  const id = idOf(request);
  await context.runtime.submit(id, { type: "resume", reason: request.reason });
  return create(ResumeExecutionResponseSchema, { execution: await describeChanged(context, id, call) });
}
