import { create, fromJson } from "@bufbuild/protobuf";
import { timestampFromMs, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  type HumanAnswer,
  type HumanNode,
  type HumanTaskState,
  type HumanTaskStatus as EngineStatus,
  humanTaskId,
  type Json,
  listChanges,
  type LinkedNode,
} from "@heddle/engine";
import {
  type HumanTask,
  type HumanTaskAnswer,
  HumanTaskAnswerSchema,
  HumanTaskSchema,
  HumanTaskStatus,
} from "@heddle/proto/heddle/execution/v1/human_task_pb.js";

const STATUS: Record<EngineStatus, HumanTaskStatus> = {
  open: HumanTaskStatus.OPEN,
  claimed: HumanTaskStatus.CLAIMED,
  completed: HumanTaskStatus.COMPLETED,
  expired: HumanTaskStatus.EXPIRED,
  canceled: HumanTaskStatus.CANCELED,
};

export function toTaskStatus(status: EngineStatus): HumanTaskStatus {
  return STATUS[status];
}

/** What a task is part of. */
export interface TaskPlace {
  executionId: string;
  namespace: string;
  workflowId: string;
  node: LinkedNode;
}

/** The task with everything. */
export function toHumanTask({ executionId, namespace, workflowId, node }: TaskPlace, task: HumanTaskState): HumanTask {
  const { form, quorum } = node.definition as HumanNode;
  return create(HumanTaskSchema, {
    taskId: humanTaskId(executionId, node.id, task),
    executionId,
    nodeId: node.id,
    namespace,
    workflowId,
    status: STATUS[task.status],
    title: task.title,
    description: task.description ?? "",
    assignee: task.assignee ?? "",
    groups: task.groups,
    priority: task.priority,
    form,
    data: toValue(task.data),
    proposed: toValue(task.proposed),
    quorum: quorum && { of: quorum.of, need: quorum.need, field: quorum.field ?? "" },
    createdAt: timestampFromMs(task.createdAt),
    dueAt: task.dueAt === undefined ? undefined : timestampFromMs(task.dueAt),
    endedAt: task.endedAt === undefined ? undefined : timestampFromMs(task.endedAt),
    escalations: task.step ?? 0,
    answers: task.answers.map((answer) => toAnswer(answer, task.proposed)),
    comments: task.comments.map(({ by, at, text }) => ({ by, commentedAt: timestampFromMs(at), text })),
  });
}

function toAnswer({ by, at, answer, values }: HumanAnswer, proposed: Json | undefined): HumanTaskAnswer {
  return create(HumanTaskAnswerSchema, {
    by,
    answeredAt: timestampFromMs(at),
    answer: toValue(answer),
    values: toValue(values),
    changes:
      proposed === undefined || values === undefined
        ? []
        : listChanges(proposed, values).map(({ path, from, to }) => ({ path, from: toValue(from), to: toValue(to) })),
  });
}

function toValue(json: Json | undefined): Value | undefined {
  return json === undefined ? undefined : fromJson(ValueSchema, json);
}
