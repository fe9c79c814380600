import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { foreseeReset } from "@heddle/engine";
import { childId } from "@heddle/journal";
import {
  type ResetExecutionRequest,
  type ResetExecutionResponse,
  ResetExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { decideContextOf } from "../domain/aggregate.ts";
import { toDryRun } from "../domain/dry-run.ts";
import { describeChanged, describeExecution, type ExecutionContext, idOf, readExecution } from "./context.ts";

export async function resetExecution(
  context: ExecutionContext,
  request: ResetExecutionRequest,
  call: HandlerContext,
): Promise<ResetExecutionResponse> {
  const id = idOf(request);
  const { fromNodeIds: from, reason, requestId } = request;
  const command = { type: "reset" as const, from, reason, requestId };
  if (request.dryRun) {
    const { plan, state } = await readExecution(context, id);
    const dryRun = toDryRun(foreseeReset(plan, state, command, decideContextOf(id, context.now(), childId)));
    return create(ResetExecutionResponseSchema, { dryRun, execution: await describeExecution(context, id) });
  }
  await context.runtime.submit(id, command);
  return create(ResetExecutionResponseSchema, { execution: await describeChanged(context, id, call) });
}
