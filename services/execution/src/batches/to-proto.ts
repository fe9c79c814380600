import { create, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Batch,
  BatchSchema,
  type ExecutionFilter as FilterMessage,
} from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import { toAttributeCondition } from "../handlers/attribute-condition.ts";
import { timeText } from "../handlers/time-text.ts";
import type { BatchRow } from "../store/batches.ts";
import type { ExecutionFilter } from "../store/list-executions.ts";

/** Filter, operation and pace, as they are stored. */
export function toSpec({ filter, operation, pace }: Pick<Batch, "filter" | "operation" | "pace">): JsonObject {
  return toJson(BatchSchema, create(BatchSchema, { filter, operation, pace })) as JsonObject;
}

function fromSpec(spec: JsonObject): Batch {
  return fromJson(BatchSchema, spec, { ignoreUnknownFields: true });
}

export function toBatch(row: BatchRow): Batch {
  const batch = fromSpec(row.spec);
  batch.batchId = row.batch_id;
  batch.namespace = row.namespace;
  batch.requestId = row.request_id;
  batch.status = row.status;
  batch.reason = row.reason;
  batch.matched = BigInt(row.matched);
  batch.succeeded = BigInt(row.succeeded);
  batch.failed = BigInt(row.failed);
  batch.skipped = BigInt(row.skipped);
  batch.createdAt = timestampFromDate(row.created_at);
  if (row.ended_at !== null) batch.endedAt = timestampFromDate(row.ended_at);
  return batch;
}

/** @throws DomainError REQUEST_INVALID */
export function toFilter(namespace: string, filter: FilterMessage | undefined): ExecutionFilter {
  return {
    namespace,
    workflowId: filter?.workflowId ?? "",
    status: filter?.status ?? 0,
    labels: { ...filter?.labels },
    startedAfter: timeText(filter?.startedAfter),
    startedBefore: timeText(filter?.startedBefore),
    parentExecutionId: filter?.parentExecutionId.toLowerCase() ?? "",
    workflowKey: filter?.workflowKey ?? "",
    attributes: (filter?.attributes ?? []).map(toAttributeCondition),
    hasIncidents: filter?.hasIncidents ?? false,
  };
}
