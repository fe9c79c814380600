import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type ListIncidentsRequest,
  type ListIncidentsResponse,
  ListIncidentsResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { type Incident, IncidentSchema } from "@heddle/proto/heddle/execution/v1/incident_pb.js";
import { type ExecutionContext, namespaceOf } from "../handlers/context.ts";
import { readPage } from "../handlers/page.ts";
import { timeText } from "../handlers/time-text.ts";
import { type IncidentFilter, type IncidentRow, positionOf, selectIncidents } from "./select-incidents.ts";

export async function listIncidents(
  { database }: Pick<ExecutionContext, "database">,
  request: ListIncidentsRequest,
): Promise<ListIncidentsResponse> {
  const { workflowId, failureType, nodeId } = request;
  const filter: IncidentFilter = {
    namespace: namespaceOf(request),
    workflowId,
    failureType,
    nodeId,
    executionId: request.executionId.toLowerCase(),
    parentExecutionId: request.parentExecutionId.toLowerCase(),
    openedAfter: timeText(request.openedAfter),
    openedBefore: timeText(request.openedBefore),
  };
  const { rows, nextPageToken } = await readPage(request, {
    filter,
    select: (after, limit) => selectIncidents(database, filter, after, limit),
    positionOf,
  });
  return create(ListIncidentsResponseSchema, { incidents: rows.map(toIncident), nextPageToken });
}

function toIncident(row: IncidentRow): Incident {
  return create(IncidentSchema, {
    executionId: row.execution_id,
    namespace: row.namespace,
    workflowId: row.workflow_id,
    version: row.version,
    nodeId: row.node_id,
    kind: row.kind,
    turns: row.turns.map(([nodeId, turn]) => ({ nodeId, turn })),
    parent:
      row.parent_execution_id === null
        ? undefined
        : { executionId: row.parent_execution_id, nodeId: row.parent_node_id ?? "" },
    failure: {
      type: row.failure_type,
      message: row.failure_message,
      nodeId: row.failure_node_id ?? "",
      business: row.business,
    },
    attempts: row.attempts,
    openedAt: timestampFromDate(row.opened_at),
  });
}
