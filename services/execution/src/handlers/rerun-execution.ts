import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type Command,
  foreseeRerun,
  isSameJson,
  type JsonObject,
  type Plan,
  planRerun,
  type RerunPlan,
  type RerunSelection,
  type RerunSource,
} from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import { childId } from "@heddle/journal";
import { checkInput, checkInputSize } from "@heddle/journal-service";
import {
  type RerunExecutionRequest,
  type RerunExecutionResponse,
  RerunExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { decideContextOf } from "../domain/aggregate.ts";
import { toDryRun } from "../domain/dry-run.ts";
import { describeChanged, type ExecutionContext, idOf, readExecution } from "./context.ts";

/**
 * The new execution lives in the partition of the old one, whose owner answers. With a request id its own id follows from
 * both: a repetition meets the first one, however long ago that was. No node is called `/rerun`, so no sub-workflow has that id.
 */
export async function rerunExecution(
  context: ExecutionContext,
  request: RerunExecutionRequest,
  call: HandlerContext,
): Promise<RerunExecutionResponse> {
  const { runtime } = context;
  const oldId = idOf(request);
  const { requestId } = request;
  const id = requestId === "" ? runtime.newId(runtime.partitionOf(oldId)) : childId(oldId, `/rerun/${requestId}`);
  const prepared = await prepare(context, request, id, call);
  if (request.dryRun && prepared !== undefined) {
    const { source, start, plan, rerun } = prepared;
    const nodes = foreseeRerun(source, { plan, start, rerun }, decideContextOf(id, context.now(), childId));
    const { version } = start.start;
    const dryRun = toDryRun(nodes, { fromNodeIds: rerun.from, version, keptVars: listVars(rerun) });
    return create(RerunExecutionResponseSchema, { dryRun });
  }
  const created = prepared !== undefined && (await submit(context, request, id, prepared));
  return create(RerunExecutionResponseSchema, { execution: await describeChanged(context, id, call), created });
}

interface Prepared {
  source: RerunSource;
  /** What the new execution runs. */
  plan: Plan;
  rerun: RerunPlan;
  start: Extract<Command, { type: "start" }>;
}

/** Undefined when the request id has started the execution before. */
async function prepare(
  context: ExecutionContext,
  request: RerunExecutionRequest,
  id: string,
  call: HandlerContext,
): Promise<Prepared | undefined> {
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
  if (request.requestId !== "" && (await runtime.read(id)) !== undefined) {
    await refuseOther(context, request, id, { input, version });
    return undefined;
  }
  const source = { executionId: oldId, plan: oldPlan, state };
  const rerun = planRerun(source, { plan, input }, selectionOf(request));
  const traceparent = call.requestHeader.get("traceparent");
  const start = {
    namespace,
    workflowId,
    version,
    input,
    requestId: "",
    rerunOf: { executionId: oldId, from: rerun.from },
    priority,
    labels,
    ...(attributes !== undefined && { attributes }),
    ...(traceparent !== null && { traceparent }),
  };
  return { source, plan, rerun, start: { type: "start", start, reuse: rerun.reuse } };
}

/** Whether it was started now. */
async function submit(
  context: ExecutionContext,
  request: RerunExecutionRequest,
  id: string,
  { plan, start }: Prepared,
): Promise<boolean> {
  try {
    await context.runtime.submit(id, { ...start, plan }, { admission: true, fresh: request.requestId === "" });
    return true;
  } catch (error) {
    // Two calls with the same key at the same time.
    if (!(error instanceof DomainError) || error.reason !== "EXECUTION_ALREADY_STARTED") throw error;
    const { input, version } = start.start;
    await refuseOther(context, request, id, { input, version });
    return false;
  }
}

function listVars({ reuse }: RerunPlan): string[] {
  const writes = reuse.flatMap((each) => (each.type === "vars_reused" ? each.writes : []));
  return [...new Set(writes.flatMap(({ fields }) => Object.keys(fields)))].sort();
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
): Promise<void> {
  const { state } = await readExecution(context, id);
  if (state.version === version && isSameJson(state.input, input)) return;
  throw new DomainError({
    kind: "failed_precondition",
    reason: "REQUEST_ID_REUSED",
    message: `request id ${requestId} has started execution ${id} with another version or input; use a new request id for a new rerun`,
    metadata: { execution_id: id, request_id: requestId },
  });
}
