import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { checkInput, checkInputSize, startOnce } from "@heddle/journal-service";
import {
  type CreateMachineRequest,
  type CreateMachineResponse,
  CreateMachineResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { fromProtoParent } from "../domain/event-from-proto.ts";
import { type StartedBy, startKeyOf } from "../domain/keys.ts";
import { findStarted } from "../store/find-started.ts";
import { describeChanged, type MachineContext, namespaceOf, readMachine } from "./context.ts";

export async function createMachine(
  context: MachineContext,
  request: CreateMachineRequest,
  call: HandlerContext,
): Promise<CreateMachineResponse> {
  const { database, requestIds } = context;
  const startedBy = startedByOf(request);
  const start = startKeyOf(startedBy);
  const { id, created } =
    start === undefined
      ? { id: await createNew(context, request, call), created: true }
      : await startOnce(start, {
          requestIds,
          findProjected: () => findStarted(database, startedBy),
          start: () => createNew(context, request, call),
        });
  if (!created) await checkSame(context, request, id);
  return create(CreateMachineResponseSchema, { machine: await describeChanged(context, id, call), created });
}

/** What tells this creation from others. */
export function startedByOf(request: CreateMachineRequest): StartedBy {
  const { workflowId, key, requestId } = request;
  return { namespace: namespaceOf(request), workflowId, key, requestId };
}

async function createNew(
  context: MachineContext,
  request: CreateMachineRequest,
  call: HandlerContext,
): Promise<string> {
  const { runtime, charts, requestIds } = context;
  const startedBy = startedByOf(request);
  const start = startKeyOf(startedBy);
  const values = request.context ?? {};
  checkInputSize(values, "context");
  const { plan: chart, version } = await charts.resolve({ ...startedBy, version: request.version });
  checkInput(chart.document, values, "context");
  const id = runtime.newId(start === undefined ? undefined : runtime.partitionOfKey(start.scope, start.key));
  const traceparent = call.requestHeader.get("traceparent");
  await runtime.submit(
    id,
    {
      type: "create",
      chart,
      // An earlier creation with this key may have been committed without an answer, in a process that then lost the
      // partition. Its recovery comes before this command is decided, and after the look into the database.
      ...(start !== undefined && { findTaken: () => requestIds.committed(start.scope, start.key) }),
      create: {
        ...startedBy,
        version,
        labels: { ...request.labels },
        context: values,
        ...(request.parent !== undefined && { parent: fromProtoParent(request.parent) }),
        ...(traceparent !== null && { traceparent }),
      },
    },
    { admission: true, fresh: true },
  );
  return id;
}

/** The same request id for another definition is a mistake of the caller, and not a repetition. */
async function checkSame(context: MachineContext, request: CreateMachineRequest, id: string): Promise<void> {
  const { state } = await readMachine(context, id);
  if (state.workflowId === request.workflowId) return;
  const { requestId } = request;
  throw new DomainError({
    kind: "failed_precondition",
    reason: "REQUEST_ID_REUSED",
    message: `request id ${requestId} has created machine ${id} of ${state.workflowId}; use a new request id for a new machine`,
    metadata: { machine_id: id, request_id: requestId },
  });
}
