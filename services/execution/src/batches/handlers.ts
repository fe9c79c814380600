import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { awaitProjection } from "@heddle/journal";
import {
  type Batch,
  BatchFailureSchema,
  BatchSchema,
  BatchStatus,
} from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import {
  type BatchService,
  CancelBatchResponseSchema,
  type CreateBatchRequest,
  type CreateBatchResponse,
  CreateBatchResponseSchema,
  GetBatchResponseSchema,
  ListBatchesResponseSchema,
  PauseBatchResponseSchema,
  ResumeBatchResponseSchema,
} from "@heddle/proto/heddle/execution/v1/batch_service_pb.js";
import { batchFailuresShown, batchProjectionWaitMs } from "../domain/limits.ts";
import { DEFAULT_NAMESPACE, type ExecutionContext, namespaceOf } from "../handlers/context.ts";
import { readPage } from "../handlers/page.ts";
import {
  type BatchRow,
  changeStatus,
  countTargets,
  findBatch,
  findBatchByRequest,
  insertBatch,
  listBatches,
  listFailures,
} from "../store/batches.ts";
import { needOf } from "./operations.ts";
import { toBatch, toFilter, toSpec } from "./to-proto.ts";

/** All that a batch is stands in the database: any replica answers, and the owner of its partition works. */
export function createBatchHandlers(context: ExecutionContext, wake: () => void): ServiceImpl<typeof BatchService> {
  const { database } = context;

  const change = async (
    batchId: string,
    from: readonly BatchStatus[],
    to: BatchStatus,
    options: { reason?: string; passCanary?: boolean } = {},
  ): Promise<Batch> => {
    const id = batchId.toLowerCase();
    const changed = await changeStatus(database, id, { from, to, reason: "", ...options });
    const row = await getBatch(database, id);
    // Repeating it changes nothing.
    if (!changed && row.status !== to) throw batchFinished(row);
    if (to === BatchStatus.RUNNING) wake();
    return toBatch(row);
  };

  return {
    async createBatch(request, call) {
      const answer = await createBatch(context, request, call.signal);
      if (answer.created) wake();
      return answer;
    },
    async getBatch({ batchId }) {
      const id = batchId.toLowerCase();
      const batch = toBatch(await getBatch(database, id));
      const failures = await listFailures(database, id, batchFailuresShown);
      batch.failures = failures.map((failure) => create(BatchFailureSchema, failure));
      return create(GetBatchResponseSchema, { batch });
    },
    async listBatches(request) {
      const namespace = request.namespace === "" ? DEFAULT_NAMESPACE : request.namespace;
      const filter = { namespace };
      const { rows, nextPageToken } = await readPage(request, {
        filter,
        select: (before, limit) => listBatches(database, namespace, before, limit),
        positionOf: (row) => row.batch_id,
      });
      return create(ListBatchesResponseSchema, { batches: rows.map(toBatch), nextPageToken });
    },
    async pauseBatch({ batchId, reason }) {
      const batch = await change(batchId, [BatchStatus.RUNNING], BatchStatus.PAUSED, { reason });
      return create(PauseBatchResponseSchema, { batch });
    },
    async resumeBatch({ batchId }) {
      const batch = await change(batchId, [BatchStatus.PAUSED], BatchStatus.RUNNING, { passCanary: true });
      return create(ResumeBatchResponseSchema, { batch });
    },
    async cancelBatch({ batchId, reason }) {
      const from = [BatchStatus.RUNNING, BatchStatus.PAUSED];
      const batch = await change(batchId, from, BatchStatus.CANCELED, { reason });
      return create(CancelBatchResponseSchema, { batch });
    },
  };
}

async function createBatch(
  context: ExecutionContext,
  request: CreateBatchRequest,
  signal: AbortSignal,
): Promise<CreateBatchResponse> {
  const { database, runtime } = context;
  const namespace = namespaceOf(request);
  const { requestId, operation, pace } = request;
  const known = requestId === "" ? undefined : await findBatchByRequest(database, namespace, requestId);
  if (known !== undefined) return create(CreateBatchResponseSchema, { batch: toBatch(known), created: false });
  const filter = toFilter(namespace, request.filter);
  // Everything that was acknowledged before is seen: targets are found in the projection, and passed once.
  const id = runtime.newId();
  if (!(await awaitProjection(database, { signal, timeoutMs: batchProjectionWaitMs }))) throw behind();
  const target = { filter, need: needOf(id, operation?.operation ?? { case: undefined }) };
  const counts = await countTargets(database, target);
  const matched = counts.reduce((total, { count }) => total + count, 0);
  const said = { filter: request.filter, operation, pace };
  if (request.dryRun) {
    return create(CreateBatchResponseSchema, {
      batch: create(BatchSchema, { ...said, namespace, status: BatchStatus.DRY_RUN, matched: BigInt(matched) }),
      matchedByStatus: counts.map(({ status, count }) => ({ status, count: BigInt(count) })),
    });
  }
  const inserted = await insertBatch(database, {
    id,
    partition: runtime.partitionOf(id),
    namespace,
    requestId,
    spec: toSpec(said),
    claimEnd: lastIdOf(id),
    canaryPassed: (pace?.canary ?? 0) === 0,
    matched,
  });
  // Another call with this request id was quicker.
  const row = inserted ? await getBatch(database, id) : await findBatchByRequest(database, namespace, requestId);
  if (row === undefined) throw batchNotFound(id);
  return create(CreateBatchResponseSchema, { batch: toBatch(row), created: inserted });
}

/** The highest id of the same millisecond: what starts later is not meant. */
function lastIdOf(id: string): string {
  return `${id.slice(0, 14)}7fff-bfff-ffffffffffff`;
}

async function getBatch(database: ExecutionContext["database"], id: string): Promise<BatchRow> {
  const row = await findBatch(database, id);
  if (row === undefined) throw batchNotFound(id);
  return row;
}

function behind(): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "DEPENDENCY_UNAVAILABLE",
    message: "the lists of executions are behind what was committed, so that a batch would miss some; try again",
    retryAfterMs: 1_000,
  });
}

function batchNotFound(id: string): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "BATCH_NOT_FOUND",
    message: `there is no batch ${id}; ListBatches shows those that there are`,
    metadata: { batch_id: id },
  });
}

function batchFinished({ batch_id: id, status }: BatchRow): DomainError {
  const name = BatchStatus[status]?.toLowerCase() ?? "";
  return new DomainError({
    kind: "failed_precondition",
    reason: "BATCH_FINISHED",
    message: `batch ${id} has ended: it is ${name}; create another one`,
    metadata: { batch_id: id, status: name },
  });
}
