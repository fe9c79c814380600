import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { isSameJson, type JsonObject, planRerun, type RerunSelection } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import { childId } from "@heddle/journal";
import { checkInput, checkInputSize } from "@heddle/journal-service";
import {
  type RerunExecutionRequest,
  type RerunExecutionResponse,
  RerunExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { describeChanged, type ExecutionContext, idOf, readExecution } from "./context.ts";

/**
 * The new execution lives in the partition of the old one, whose owner answers. With a request id its own id follows from
 * both: a repetition meets the first one, however long ago that was.
 */
export async function rerunExecution(
  context: ExecutionContext,
  request: RerunExecutionRequest,
  call: HandlerContext,
): Promise<RerunExecutionResponse> {
  const { runtime } = context;
  const oldId = idOf(request);
  const { requestId } = request;
  const id = requestId === "" ? runtime.newId(runtime.partitionOf(oldId)) : childId(oldId, `rerun/${requestId}`);
  const created = await start(context, request, id, call);
  return create(RerunExecutionResponseSchema, { execution: await describeChanged(context, id, call), created });
}

/** Whether it was started now. */
async function start(
  context: ExecutionContext,
  request: RerunExecutionRequest,
  id: string,
  call: HandlerContext,
): Promise<boolean> {
  const { runtime, plans } = context;
  const oldId = idOf(request);
  const { plan: oldPlan, state } = await readExecution(context, oldId);
  const { namespace, workflowId, priority, labels, attributes } = state;
  const input: JsonObject = request.input ?? state.input;
  if (request.input !== undefined) checkInputSize(input, "input");
  const { plan, version } =
    request.version === 0 || request.version === state.version
      ? { plan: oldPlan, version: state.version }
      : await plans.resolve({ namespace, workflowId, version: request.version });
  checkInput(plan.document, input, "input");
  const isRepeated = request.requestId !== "" && (await runtime.read(id)) !== undefined;
  if (isRepeated) return await refuseOther(context, request, id, { input, version });
  const source = { executionId: oldId, plan: oldPlan, state };
  const { from, reuse } = planRerun(source, { plan, input }, selectionOf(request));
  const traceparent = call.requestHeader.get("traceparent");
  try {
    await runtime.submit(
      id,
      {
        type: "start",
        plan,
        reuse,
        start: {
          namespace,
          workflowId,
          version,
          input,
          requestId: "",
          rerunOf: { executionId: oldId, from },
          priority,
          labels,
          ...(attributes !== undefined && { attributes }),
          ...(traceparent !== null && { traceparent }),
        },
      },
      { admission: true, fresh: request.requestId === "" },
    );
  } catch (error) {
    // Two calls with the same key at the same time.
    if (!(error instanceof DomainError) || error.reason !== "EXECUTION_ALREADY_STARTED") throw error;
    return await refuseOther(context, request, id, { input, version });
  }
  return true;
}

function selectionOf({ fromNodeId, fromNodeIds, fromFailed, fromChanged }: RerunExecutionRequest): RerunSelection {
  const from = fromNodeId === "" ? fromNodeIds : [fromNodeId, ...fromNodeIds];
  return { from, failed: fromFailed, changed: fromChanged };
}

/** The same key for something else is a mistake of the caller, and not a repetition. */
async function refuseOther(
  context: ExecutionContext,
  { requestId }: RerunExecutionRequest,
  id: string,
  { input, version }: { input: JsonObject; version: number },
): Promise<false> {
  const { state } = await readExecution(context, id);
  if (state.version === version && isSameJson(state.input, input)) return false;
  throw new DomainError({
    kind: "failed_precondition",
    reason: "REQUEST_ID_REUSED",
    message: `request id ${requestId} has started execution ${id} with another version or input; use a new request id for a new rerun`,
    metadata: { execution_id: id, request_id: requestId },
  });
}
