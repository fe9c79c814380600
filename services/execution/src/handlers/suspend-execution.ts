import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type SuspendExecutionRequest,
  type SuspendExecutionResponse,
  SuspendExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeChanged, type ExecutionContext } from "./context.ts";
import { withTarget } from "./target.ts";

export async function suspendExecution(
  context: ExecutionContext,
  request: SuspendExecutionRequest,
  call: HandlerContext,
): Promise<SuspendExecutionResponse> {
  return await withTarget(context, request, async (id) => {
    await context.runtime.submit(id, { type: "suspend", reason: request.reason });
    return create(SuspendExecutionResponseSchema, { execution: await describeChanged(context, id, call) });
  });
}
