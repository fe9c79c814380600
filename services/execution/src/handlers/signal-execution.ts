import { create, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type SignalExecutionRequest,
  type SignalExecutionResponse,
  SignalExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeChanged, type ExecutionContext } from "./context.ts";
import { withTarget } from "./target.ts";

export async function signalExecution(
  context: ExecutionContext,
  request: SignalExecutionRequest,
  call: HandlerContext,
): Promise<SignalExecutionResponse> {
  const payload = request.payload === undefined ? null : toJson(ValueSchema, request.payload);
  const { name, key, requestId } = request;
  return await withTarget(context, request, async (id) => {
    await context.runtime.submit(id, { type: "signal", name, ...(key !== "" && { key }), payload, requestId });
    return create(SignalExecutionResponseSchema, { execution: await describeChanged(context, id, call) });
  });
}
