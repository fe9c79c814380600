import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Execution, ExecutionSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import {
  type ListExecutionsRequest,
  type ListExecutionsResponse,
  ListExecutionsResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { type ExecutionRow, listExecutions as query } from "../store/list-executions.ts";
import { toAttributeCondition } from "./attribute-condition.ts";
import { DEFAULT_NAMESPACE, type ExecutionContext } from "./context.ts";
import { readPage } from "./page.ts";
import { timeText } from "./time-text.ts";

export async function listExecutions(
  context: ExecutionContext,
  request: ListExecutionsRequest,
): Promise<ListExecutionsResponse> {
  const filter = {
    namespace: request.namespace === "" ? DEFAULT_NAMESPACE : request.namespace,
    workflowId: request.workflowId,
    status: request.status,
    labels: { ...request.labels },
    startedAfter: timeText(request.startedAfter),
    startedBefore: timeText(request.startedBefore),
    parentExecutionId: request.parentExecutionId.toLowerCase(),
    workflowKey: request.workflowKey,
    attributes: request.attributes.map(toAttributeCondition),
    hasIncidents: request.hasIncidents,
  };
  const { rows, nextPageToken } = await readPage(request, {
    filter,
    select: (before, limit) => query(context.database, filter, before, limit),
    positionOf: (row) => row.execution_id,
  });
  return create(ListExecutionsResponseSchema, { executions: rows.map(toListed), nextPageToken });
}

function toListed(row: ExecutionRow): Execution {
  return create(ExecutionSchema, {
    executionId: row.execution_id,
    namespace: row.namespace,
    workflowId: row.workflow_id,
    version: row.version,
    status: row.status,
    failure:
      row.failure_type === null
        ? undefined
        : { type: row.failure_type, message: row.failure_message ?? "", nodeId: row.failure_node_id ?? "" },
    requestId: row.request_id,
    labels: row.labels,
    priority: row.priority,
    parent:
      row.parent_execution_id === null
        ? undefined
        : { executionId: row.parent_execution_id, nodeId: row.parent_node_id ?? "" },
    startedAt: timestampFromDate(row.started_at),
    endedAt: row.ended_at === null ? undefined : timestampFromDate(row.ended_at),
    lastSeq: BigInt(row.last_seq),
    workflowKey: row.workflow_key,
    openIncidents: row.open_incidents,
    searchAttributes: Object.keys(row.attributes).length === 0 ? undefined : row.attributes,
  });
}
