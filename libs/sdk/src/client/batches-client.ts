import { randomUUID } from "node:crypto";
import { create, fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  type Batch as BatchMessage,
  BatchOperationSchema,
  BatchStatusSchema,
  type ExecutionFilterSchema,
} from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import { BatchService } from "@heddle/proto/heddle/execution/v1/batch_service_pb.js";
import { ExecutionStatusSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { createRpcClient } from "@heddle/rpc";
import type { Json } from "../json.ts";
import { PAGE_SIZE } from "../limits.ts";
import { attributeFilter } from "./attribute-filter.ts";
import type { CallOptions } from "./call.ts";
import type { ClientContext } from "./context.ts";
import type { ExecutionFilter } from "./executions-client.ts";
import { type IncidentResolution, resolutionMessage } from "./incident.ts";
import { eachItem } from "./pages.ts";
import { enumName, enumValue, plainTime } from "./plain.ts";
import { present } from "./present.ts";

/** What is done to each execution. */
export type BatchOperation =
  | { kind: "cancel" | "terminate" | "suspend" | "resume"; reason?: string }
  | { kind: "signal"; name: string; key?: string; payload?: Json }
  /** A new execution from each that has failed or was canceled. */
  | { kind: "rerun"; fromFailed?: boolean; version?: number }
  /** Incidents that were open when the batch was created: all, or those of a failure or a node. */
  | {
      kind: "resolve_incidents";
      resolution: IncidentResolution;
      failureType?: string;
      nodeId?: string;
      reason?: string;
    }
  | { kind: "delete" };

export type BatchStatus = "dry_run" | "running" | "paused" | "completed" | "stopped" | "canceled";

export interface CreateBatchRequest {
  /** Which executions; default: all of the namespace that have a need of the operation. */
  filter?: ExecutionFilter;
  operation: BatchOperation;
  /** Default 100. */
  ratePerSecond?: number;
  /** It pauses by itself after so many. */
  canary?: number;
  /** It stops for good when a larger part fails; from 1 to 99. */
  maxErrorPercent?: number;
  /** The same key gives the same batch. Default: a fresh one. */
  requestId?: string;
}

/** The same done to many executions. */
export interface Batch {
  /** Empty for a dry run. */
  batchId: string;
  status: BatchStatus;
  /** Why it is paused, was stopped or canceled. */
  reason: string;
  /** Executions that fitted when it was created. */
  matched: number;
  succeeded: number;
  failed: number;
  /** They had no need of it when it was their turn. */
  skipped: number;
  createdAt?: Date;
  endedAt?: Date;
  /** The first of them; empty in lists. */
  failures: { executionId: string; reason: string; message: string }[];
}

export interface BatchesClient {
  create(request: CreateBatchRequest, options?: CallOptions): Promise<Batch>;
  /** Says how many executions it would be about, and does nothing. */
  dryRun(request: CreateBatchRequest, options?: CallOptions): Promise<Batch>;
  /** @throws DomainError `BATCH_NOT_FOUND` */
  get(batchId: string, options?: CallOptions): Promise<Batch>;
  /** Newest first. */
  list(options?: CallOptions): AsyncGenerator<Batch, void, undefined>;
  /** @throws DomainError `BATCH_FINISHED`, as the next two */
  pause(batchId: string, reason?: string, options?: CallOptions): Promise<Batch>;
  /** Also beyond its canary. */
  resume(batchId: string, options?: CallOptions): Promise<Batch>;
  /** What was done stays done. */
  cancel(batchId: string, reason?: string, options?: CallOptions): Promise<Batch>;
}

export function createBatchesClient({ transport, namespace, call }: ClientContext): BatchesClient {
  const rpc = createRpcClient(BatchService, transport);

  async function createBatch(request: CreateBatchRequest, dryRun: boolean, options?: CallOptions): Promise<Batch> {
    const { filter, operation, requestId = randomUUID(), ratePerSecond, canary, maxErrorPercent } = request;
    const message = {
      namespace,
      filter: filter && filterMessage(filter),
      operation: operationMessage(operation),
      pace: { ratePerSecond, canary, maxErrorPercent },
      requestId,
      dryRun,
    };
    return plainBatch(present((await call((attempt) => rpc.createBatch(message, attempt), options)).batch));
  }

  return {
    create: (request, options) => createBatch(request, false, options),
    dryRun: (request, options) => createBatch(request, true, options),
    async get(batchId, options) {
      return plainBatch(present((await call((attempt) => rpc.getBatch({ batchId }, attempt), options)).batch));
    },
    list: (options) =>
      eachItem(async (pageToken) => {
        const request = { namespace, pageSize: PAGE_SIZE, pageToken };
        const { batches, nextPageToken } = await call((attempt) => rpc.listBatches(request, attempt), options);
        return { items: batches.map(plainBatch), nextPageToken };
      }),
    async pause(batchId, reason = "", options) {
      return plainBatch(
        present((await call((attempt) => rpc.pauseBatch({ batchId, reason }, attempt), options)).batch),
      );
    },
    async resume(batchId, options) {
      return plainBatch(present((await call((attempt) => rpc.resumeBatch({ batchId }, attempt), options)).batch));
    },
    async cancel(batchId, reason = "", options) {
      return plainBatch(
        present((await call((attempt) => rpc.cancelBatch({ batchId, reason }, attempt), options)).batch),
      );
    },
  };
}

function operationMessage(operation: BatchOperation) {
  switch (operation.kind) {
    case "signal": {
      const value = {
        name: operation.name,
        key: operation.key ?? "",
        payload: fromJson(ValueSchema, operation.payload ?? null),
      };
      return create(BatchOperationSchema, { operation: { case: "signal", value } });
    }
    case "rerun": {
      const { fromFailed = false, version = 0 } = operation;
      return create(BatchOperationSchema, { operation: { case: "rerun", value: { fromFailed, version } } });
    }
    case "resolve_incidents": {
      const { resolution, failureType = "", nodeId = "", reason = "" } = operation;
      const value = { resolution: resolutionMessage(resolution), failureType, nodeId, reason };
      return create(BatchOperationSchema, { operation: { case: "resolveIncidents", value } });
    }
    case "delete":
      return create(BatchOperationSchema, { operation: { case: "delete", value: {} } });
    default: {
      const value = { reason: operation.reason ?? "" };
      return create(BatchOperationSchema, { operation: { case: operation.kind, value } });
    }
  }
}

function filterMessage(filter: ExecutionFilter): MessageInitShape<typeof ExecutionFilterSchema> {
  const { status, startedAfter, startedBefore, attributes, ...rest } = filter;
  return {
    ...rest,
    ...(status && { status: enumValue(ExecutionStatusSchema, status) }),
    ...(startedAfter && { startedAfter: timestampFromDate(startedAfter) }),
    ...(startedBefore && { startedBefore: timestampFromDate(startedBefore) }),
    ...(attributes && { attributes: attributes.map(attributeFilter) }),
  };
}

function plainBatch(message: BatchMessage): Batch {
  const { batchId, reason, matched, succeeded, failed, skipped } = message;
  return {
    batchId,
    status: enumName(BatchStatusSchema, message.status),
    reason,
    matched: Number(matched),
    succeeded: Number(succeeded),
    failed: Number(failed),
    skipped: Number(skipped),
    createdAt: plainTime(message.createdAt),
    endedAt: plainTime(message.endedAt),
    failures: message.failures.map((failure) => ({
      executionId: failure.executionId,
      reason: failure.reason,
      message: failure.message,
    })),
  };
}
