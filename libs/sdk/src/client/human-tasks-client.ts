import { randomUUID } from "node:crypto";
import { fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { HumanTaskStatusSchema } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import { HumanTaskService } from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { createRpcClient } from "@heddle/rpc";
import type { Json } from "../json.ts";
import { PAGE_SIZE } from "../limits.ts";
import type { CallOptions } from "./call.ts";
import type { ClientContext } from "./context.ts";
import { type HumanTask, type HumanTaskStatus, plainHumanTask } from "./human-task.ts";
import { eachItem } from "./pages.ts";
import { enumValue } from "./plain.ts";
import { present } from "./present.ts";

export interface HumanTaskFilter {
  assignee?: string;
  /** Only tasks that members of this group may take. */
  group?: string;
  /** Default: those that wait, open and claimed. */
  status?: HumanTaskStatus | "all";
  workflowId?: string;
  executionId?: string;
}

/** Who does something. Heddle takes the caller's word for it. */
export interface HumanAction {
  user: string;
  /** Default: a fresh one, so that a repeated call does it once. */
  requestId?: string;
}

/**
 * What executions ask people. All calls that change a task are refused with DomainError `HUMAN_TASK_NOT_FOUND`,
 * `HUMAN_TASK_CLOSED` (metadata.status, metadata.answered_by) and, but for `reassign` and `comment`, `HUMAN_TASK_HELD`
 * (metadata.assignee). They give the task after the change.
 */
export interface HumanTasksClient {
  /** By priority, then the oldest first; at most 200 ms behind. */
  list(filter?: HumanTaskFilter, options?: CallOptions): AsyncGenerator<HumanTask, void, undefined>;
  get(taskId: string, options?: CallOptions): Promise<HumanTask>;
  /** @throws DomainError also `HUMAN_TASK_NEEDS_SEVERAL` */
  claim(taskId: string, action: HumanAction, options?: CallOptions): Promise<HumanTask>;
  /** Gives it back to its groups. */
  release(taskId: string, action: HumanAction, options?: CallOptions): Promise<HumanTask>;
  /** Without an assignee it is nobody's; without groups those that it has stay. */
  reassign(
    taskId: string,
    request: HumanAction & { assignee?: string; groups?: string[] },
    options?: CallOptions,
  ): Promise<HumanTask>;
  /**
   * The first valid answer wins. `values`: the proposed ones, mended.
   * @throws DomainError also `ANSWER_INVALID` with one violation for each place, `HUMAN_TASK_ANSWERED_BEFORE`
   */
  complete(
    taskId: string,
    request: HumanAction & { answer: Json; values?: Json },
    options?: CallOptions,
  ): Promise<HumanTask>;
  comment(taskId: string, request: HumanAction & { text: string }, options?: CallOptions): Promise<HumanTask>;
}

export function createHumanTasksClient({ transport, namespace, call }: ClientContext): HumanTasksClient {
  const rpc = createRpcClient(HumanTaskService, transport);
  const keyed = (taskId: string, { user, requestId = randomUUID() }: HumanAction) => ({ taskId, user, requestId });

  return {
    list: ({ status, ...filter } = {}, options) =>
      eachItem(async (pageToken) => {
        const request = {
          namespace,
          ...filter,
          ...(status === "all" ? { all: true } : status && { status: enumValue(HumanTaskStatusSchema, status) }),
          pageSize: PAGE_SIZE,
          pageToken,
        };
        const { tasks, nextPageToken } = await call((attempt) => rpc.listHumanTasks(request, attempt), options);
        return { items: tasks.map(plainHumanTask), nextPageToken };
      }),
    async get(taskId, options) {
      const { task } = await call((attempt) => rpc.getHumanTask({ taskId }, attempt), options);
      return plainHumanTask(present(task));
    },
    async claim(taskId, action, options) {
      const request = keyed(taskId, action);
      return plainHumanTask(present((await call((attempt) => rpc.claimHumanTask(request, attempt), options)).task));
    },
    async release(taskId, action, options) {
      const request = keyed(taskId, action);
      return plainHumanTask(present((await call((attempt) => rpc.releaseHumanTask(request, attempt), options)).task));
    },
    async reassign(taskId, { assignee, groups, ...action }, options) {
      const request = { ...keyed(taskId, action), assignee, groups };
      return plainHumanTask(present((await call((attempt) => rpc.reassignHumanTask(request, attempt), options)).task));
    },
    async complete(taskId, { answer, values, ...action }, options) {
      const request = {
        ...keyed(taskId, action),
        answer: fromJson(ValueSchema, answer),
        ...(values !== undefined && { values: fromJson(ValueSchema, values) }),
      };
      return plainHumanTask(present((await call((attempt) => rpc.completeHumanTask(request, attempt), options)).task));
    },
    async comment(taskId, { text, ...action }, options) {
      const request = { ...keyed(taskId, action), text };
      return plainHumanTask(present((await call((attempt) => rpc.commentOnHumanTask(request, attempt), options)).task));
    },
  };
}
