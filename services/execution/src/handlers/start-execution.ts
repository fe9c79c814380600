import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { type Attributes, findAttributesFault, type JsonObject, type PlanDocument } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import { checkInput, checkInputSize, startOnce } from "@heddle/journal-service";
import {
  type StartExecutionRequest,
  type StartExecutionResponse,
  StartExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { Execution } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { readChanged } from "@heddle/rpc";
import { answerMarginMs, maxStartWaitMs } from "../domain/limits.ts";
import { fromProtoOrigin } from "../domain/origin.ts";
import { toExecutionAlone } from "../domain/to-proto.ts";
import { waitForEnd } from "../domain/wait-for-end.ts";
import { requestScope } from "../domain/workflow-keys.ts";
import { findByRequestId } from "../store/find-by-request-id.ts";
import { type ExecutionContext, namespaceOf, readExecution } from "./context.ts";
import { signalOf } from "./start-signal.ts";
import { type CheckStart, startWithKey } from "./start-with-key.ts";

const DEFAULT_PRIORITY = 5;

export async function startExecution(
  context: ExecutionContext,
  request: StartExecutionRequest,
  call: HandlerContext,
): Promise<StartExecutionResponse> {
  const waitMs = Math.min(
    checkWait(request),
    // The answer must leave before the deadline: the start is durable, and an error would hide that.
    (call.timeoutMs() ?? Number.POSITIVE_INFINITY) - answerMarginMs,
  );
  const namespace = namespaceOf(request);
  const { workflowKey } = request;
  const { id, created } =
    workflowKey === ""
      ? await startOf(context, request, () => startNew(context, request, call))
      : await context.workflowKeys.inTurn(namespace, workflowKey, () => startKeyed(context, request, call));
  return create(StartExecutionResponseSchema, { execution: await outcomeOf(context, id, waitMs, call), created });
}

/** Once for each request id. */
async function startOf(
  context: ExecutionContext,
  request: StartExecutionRequest,
  start: () => Promise<string>,
): Promise<{ id: string; created: boolean }> {
  const { requestId, workflowKey } = request;
  if (requestId === "") return { id: await start(), created: true };
  const namespace = namespaceOf(request);
  const started = await startOnce(
    { scope: requestScope({ namespace, workflowKey }), key: requestId },
    {
      requestIds: context.requestIds,
      findProjected: () => findByRequestId(context.database, namespace, requestId, workflowKey),
      start,
    },
  );
  if (!started.created) await checkSame(context, request, started.id);
  return started;
}

/** A repetition gives the execution that it has started; only another start asks what there is with its business key. */
async function startKeyed(
  context: ExecutionContext,
  request: StartExecutionRequest,
  call: HandlerContext,
): Promise<{ id: string; created: boolean }> {
  let existing: string | undefined;
  const start = async (): Promise<string> => {
    const started = await startWithKey(
      context,
      request,
      (check) => startNew(context, request, call, check),
      call.signal,
    );
    if (started.created) return started.id;
    existing = started.id;
    throw new DomainError({
      kind: "already_exists",
      reason: "WORKFLOW_KEY_RUNNING",
      message: "the one that runs is used",
    });
  };
  try {
    return await startOf(context, request, start);
  } catch (error) {
    if (existing === undefined) throw error;
    return { id: existing, created: false };
  }
}

/** The execution as it is after the wait. It has started: when its partition moves, its next owner is asked for the rest. */
async function outcomeOf(
  context: ExecutionContext,
  id: string,
  waitMs: number,
  call: HandlerContext,
): Promise<Execution> {
  const began = performance.now();
  return await readChanged(
    async () => {
      if (waitMs > 0) await waitForEnd(context, id, waitMs, call.signal);
      return toExecutionAlone(id, await readExecution(context, id));
    },
    () => context.atOwner.waitForEnd(id, waitMs - (performance.now() - began), call),
  );
}

/** Checked here and not by a rule of the proto: a rule on a message is evaluated as an expression, for every start. */
function checkWait({ wait }: StartExecutionRequest): number {
  const waitMs = wait === undefined ? 0 : durationMs(wait);
  if (waitMs >= 0 && waitMs <= maxStartWaitMs) return waitMs;
  const description = `must be from 0 to ${maxStartWaitMs / 1000} s, not ${waitMs / 1000} s`;
  throw new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `wait ${description}`,
    violations: [{ field: "wait", description }],
  });
}

async function startNew(
  context: ExecutionContext,
  request: StartExecutionRequest,
  call: HandlerContext,
  check?: CheckStart,
): Promise<string> {
  const { runtime, plans } = context;
  const namespace = namespaceOf(request);
  const input = inputOf(request);
  checkInputSize(input, "input");
  const { plan, version } = await plans.resolve({
    namespace,
    workflowId: request.workflowId,
    version: request.version,
  });
  checkStartable(plan.document);
  checkInput(plan.document, input, "input");
  const attributes = attributesOf(request);
  const { requestId, workflowKey } = request;
  const key = workflowKey || requestId;
  const partition = key === "" ? undefined : runtime.partitionOfKey(namespace, key);
  const id = runtime.newId(partition);
  const traceparent = call.requestHeader.get("traceparent");
  const origin = fromProtoOrigin(request.origin);
  const signal = signalOf(request);
  await runtime.submit(
    id,
    {
      type: "start",
      plan,
      // An earlier start with this key may have been committed without an answer, in a process that then lost the partition.
      // Its recovery comes before this command is decided, and after the look into the database.
      ...(requestId !== "" && {
        findTaken: () => context.requestIds.committed(requestScope({ namespace, workflowKey }), requestId),
      }),
      ...(check !== undefined && { check }),
      ...(signal !== undefined && { signal }),
      start: {
        namespace,
        workflowId: request.workflowId,
        version,
        input,
        requestId: request.requestId,
        priority: request.priority ?? plan.document.priority ?? DEFAULT_PRIORITY,
        labels: { ...request.labels },
        ...(workflowKey !== "" && { workflowKey }),
        ...(attributes !== undefined && { attributes }),
        ...(origin !== undefined && { origin }),
        ...(traceparent !== null && { traceparent }),
      },
    },
    { admission: true, fresh: true },
  );
  return id;
}

/** What the body of a map reads around the map comes from the execution that the map is in. */
function checkStartable({ workflowId, surroundings }: PlanDocument): void {
  if (surroundings === undefined) return;
  const outermost = workflowId.slice(0, workflowId.indexOf("."));
  const description = `${workflowId} is the body of a map, which only its items run; start ${outermost}, or rerun one of the items`;
  throw new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `workflow_id ${description}`,
    violations: [{ field: "workflow_id", description }],
  });
}

/** The same key for something else is a mistake of the caller, and not a repetition. */
async function checkSame(context: ExecutionContext, request: StartExecutionRequest, id: string): Promise<void> {
  const { state } = await readExecution(context, id);
  const same = state.workflowId === request.workflowId && canonical(state.input) === canonical(inputOf(request));
  if (same) return;
  throw new DomainError({
    kind: "failed_precondition",
    reason: "REQUEST_ID_REUSED",
    message: `request id ${request.requestId} has started execution ${id} of ${state.workflowId} with another workflow or input; use a new request id for a new start`,
    metadata: { execution_id: id, request_id: request.requestId },
  });
}

/** @throws DomainError REQUEST_INVALID */
function attributesOf({ searchAttributes }: StartExecutionRequest): Attributes | undefined {
  if (searchAttributes === undefined || Object.keys(searchAttributes).length === 0) return undefined;
  const fault = findAttributesFault(searchAttributes, { allowNull: false });
  if (fault === undefined) return searchAttributes as Attributes;
  throw new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `search_attributes ${fault}`,
    violations: [{ field: "search_attributes", description: fault }],
  });
}

function inputOf(request: StartExecutionRequest): JsonObject {
  return request.input ?? {};
}

/** Objects with the same fields in any order have the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
