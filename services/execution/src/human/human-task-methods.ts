import { create, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { executionOfHumanTask, type HumanCommand, humanTaskNotFound, type Json } from "@heddle/engine";
import { isId } from "@heddle/journal";
import type { HumanTask } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import {
  ClaimHumanTaskResponseSchema,
  CommentOnHumanTaskResponseSchema,
  CompleteHumanTaskResponseSchema,
  GetHumanTaskRequestSchema,
  GetHumanTaskResponseSchema,
  HumanTaskService,
  ReassignHumanTaskResponseSchema,
  ReleaseHumanTaskResponseSchema,
} from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { type OwnerRouter, ownCallOf, readChanged } from "@heddle/rpc";
import type { ExecutionContext } from "../handlers/context.ts";
import { describeHumanTask } from "./describe-human-task.ts";
import { listHumanTasks } from "./list-human-tasks.ts";

const { method } = HumanTaskService;

/** The methods of human tasks, each at the owner of the execution that waits. Lists need none. */
export function createHumanTaskMethods(
  context: ExecutionContext,
  router: OwnerRouter,
): ServiceImpl<typeof HumanTaskService> {
  const { runtime } = context;
  const partitionOf = ({ taskId }: { taskId: string }): number | undefined => {
    const id = executionOf(taskId);
    return id === undefined ? undefined : runtime.partitionOf(id);
  };
  /** Without a key a repetition would be another one, whatever the method's level says. */
  const isRepeatable = ({ requestId }: { requestId: string }): boolean => requestId !== "";

  const getHumanTask = router.unary(method.getHumanTask, {
    partitionOf,
    async handle({ taskId }) {
      const id = executionOf(taskId);
      if (id === undefined) throw humanTaskNotFound(taskId);
      const task = await describeHumanTask(context, id, nameOf(id, taskId));
      return create(GetHumanTaskResponseSchema, { task });
    },
  });

  /** Commits what somebody does, and answers with the task after it, from its next owner if it has moved meanwhile. */
  const act = async (command: HumanCommand, call: HandlerContext): Promise<{ task: HumanTask | undefined }> => {
    const id = executionOf(command.taskId);
    if (id === undefined) throw humanTaskNotFound(command.taskId);
    const taskId = nameOf(id, command.taskId);
    await runtime.submit(id, { ...command, taskId });
    const task = await readChanged<HumanTask | undefined>(
      () => describeHumanTask(context, id, taskId),
      async () => (await getHumanTask(create(GetHumanTaskRequestSchema, { taskId }), ownCallOf(call))).task,
    );
    return { task };
  };

  return {
    listHumanTasks: (request) => listHumanTasks(context, request),
    getHumanTask,
    claimHumanTask: router.unary(method.claimHumanTask, {
      partitionOf,
      isRepeatable,
      handle: async (request, call) =>
        create(ClaimHumanTaskResponseSchema, await act({ type: "claim_human_task", ...actionOf(request) }, call)),
    }),
    releaseHumanTask: router.unary(method.releaseHumanTask, {
      partitionOf,
      isRepeatable,
      handle: async (request, call) =>
        create(ReleaseHumanTaskResponseSchema, await act({ type: "release_human_task", ...actionOf(request) }, call)),
    }),
    reassignHumanTask: router.unary(method.reassignHumanTask, {
      partitionOf,
      isRepeatable,
      async handle(request, call) {
        const { assignee, groups } = request;
        const command: HumanCommand = {
          type: "reassign_human_task",
          ...actionOf(request),
          ...(assignee !== "" && { assignee }),
          ...(groups.length > 0 && { groups }),
        };
        return create(ReassignHumanTaskResponseSchema, await act(command, call));
      },
    }),
    completeHumanTask: router.unary(method.completeHumanTask, {
      partitionOf,
      isRepeatable,
      async handle(request, call) {
        const command: HumanCommand = {
          type: "answer_human_task",
          ...actionOf(request),
          answer: jsonOf(request.answer) ?? null,
          ...(request.values !== undefined && { values: jsonOf(request.values) ?? null }),
        };
        return create(CompleteHumanTaskResponseSchema, await act(command, call));
      },
    }),
    commentOnHumanTask: router.unary(method.commentOnHumanTask, {
      partitionOf,
      isRepeatable,
      async handle(request, call) {
        const command: HumanCommand = { type: "comment_on_human_task", ...actionOf(request), text: request.text };
        return create(CommentOnHumanTaskResponseSchema, await act(command, call));
      },
    }),
  };
}

function actionOf({ taskId, user, requestId }: { taskId: string; user: string; requestId: string }) {
  return { taskId, by: user, requestId };
}

/** Ids are compared as texts: the canonical form is lower case. */
function executionOf(taskId: string): string | undefined {
  const id = executionOfHumanTask(taskId)?.toLowerCase();
  return id !== undefined && isId(id) ? id : undefined;
}

function nameOf(executionId: string, taskId: string): string {
  return executionId + taskId.slice(executionId.length);
}

function jsonOf(value: Value | undefined): Json | undefined {
  return value === undefined ? undefined : toJson(ValueSchema, value);
}
