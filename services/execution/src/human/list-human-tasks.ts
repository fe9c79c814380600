import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { type HumanTask, HumanTaskSchema, HumanTaskStatus } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import {
  type ListHumanTasksRequest,
  type ListHumanTasksResponse,
  ListHumanTasksResponseSchema,
} from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { decodePageToken, encodePageToken } from "@heddle/store";
import { type ExecutionContext, namespaceOf } from "../handlers/context.ts";
import { type HumanTaskRow, positionOf, selectHumanTasks } from "./select-human-tasks.ts";

const DEFAULT_PAGE_SIZE = 100;

export async function listHumanTasks(
  context: ExecutionContext,
  request: ListHumanTasksRequest,
): Promise<ListHumanTasksResponse> {
  const { all, status, assignee, group, workflowId } = request;
  if (all && status !== HumanTaskStatus.UNSPECIFIED) throw allWithStatus();
  const filter = {
    namespace: namespaceOf(request),
    assignee,
    group,
    status,
    all,
    workflowId,
    executionId: request.executionId.toLowerCase(),
  };
  const after = request.pageToken === "" ? "" : decodePageToken<string>(request.pageToken, filter);
  const pageSize = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
  const rows = await selectHumanTasks(context.database, filter, after, pageSize + 1);
  const page = rows.slice(0, pageSize);
  const last = page.at(-1);
  return create(ListHumanTasksResponseSchema, {
    tasks: page.map(toListed),
    nextPageToken: rows.length > pageSize && last !== undefined ? encodePageToken(positionOf(last), filter) : "",
  });
}

function allWithStatus(): DomainError {
  const description = "must be unspecified when all tasks are asked for";
  return new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `status ${description}`,
    violations: [{ field: "status", description }],
  });
}

function toListed(row: HumanTaskRow): HumanTask {
  return create(HumanTaskSchema, {
    taskId: row.task_id,
    executionId: row.execution_id,
    nodeId: row.node_id,
    namespace: row.namespace,
    workflowId: row.workflow_id,
    status: row.status,
    title: row.title,
    assignee: row.assignee ?? "",
    groups: row.groups,
    priority: row.priority,
    createdAt: timestampFromDate(row.created_at),
    dueAt: row.due_at === null ? undefined : timestampFromDate(row.due_at),
    endedAt: row.ended_at === null ? undefined : timestampFromDate(row.ended_at),
    escalations: row.escalations,
  });
}
