import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { type HumanTask, HumanTaskSchema, HumanTaskStatus } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import {
  type ListHumanTasksRequest,
  type ListHumanTasksResponse,
  ListHumanTasksResponseSchema,
} from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { type ExecutionContext, namespaceOf } from "../handlers/context.ts";
import { readPage } from "../handlers/page.ts";
import { type HumanTaskRow, positionOf, selectHumanTasks } from "./select-human-tasks.ts";

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
  const { rows, nextPageToken } = await readPage(request, {
    filter,
    select: (after, limit) => selectHumanTasks(context.database, filter, after, limit),
    positionOf,
  });
  return create(ListHumanTasksResponseSchema, { tasks: rows.map(toListed), nextPageToken });
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
