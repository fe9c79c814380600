import { SchedulerService } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { TaskTypeSchema } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { createRpcClient } from "@heddle/rpc";
import { PAGE_SIZE } from "../limits.ts";
import type { CallOptions } from "./call.ts";
import type { ClientContext } from "./context.ts";
import { eachItem } from "./pages.ts";
import { enumValue } from "./plain.ts";
import {
  plainExplanation,
  plainQueue,
  plainWorker,
  type ConnectedWorker,
  type Queue,
  type WaitExplanation,
} from "./queue.ts";

export interface QueuesClient {
  /** Workers that are connected, or whose leases have not ended, by id. */
  listWorkers(options?: CallOptions): AsyncGenerator<ConnectedWorker, void, undefined>;
  /** For each tool and agent what waits, what runs and who could run it. */
  describeQueue(filter?: { type?: Queue["type"]; name?: string }, options?: CallOptions): Promise<Queue[]>;
  /** Why a task does not run yet. Takes a task id, or an execution id for its first waiting task. @throws DomainError `TASK_NOT_FOUND` */
  explainWait(taskId: string, options?: CallOptions): Promise<WaitExplanation>;
}

export function createQueuesClient({ transport, namespace, call }: ClientContext): QueuesClient {
  const rpc = createRpcClient(SchedulerService, transport);
  return {
    listWorkers: (options) =>
      eachItem(async (pageToken) => {
        const request = { namespace, pageSize: PAGE_SIZE, pageToken };
        const { workers, nextPageToken } = await call((attempt) => rpc.listWorkers(request, attempt), options);
        return { items: workers.map(plainWorker), nextPageToken };
      }),
    async describeQueue({ type, name = "" } = {}, options) {
      const typeNumber = type === undefined ? 0 : enumValue(TaskTypeSchema, type);
      const request = { namespace, type: typeNumber, name };
      const { queues } = await call((attempt) => rpc.describeQueue(request, attempt), options);
      return queues.map(plainQueue);
    },
    async explainWait(taskId, options) {
      return plainExplanation(await call((attempt) => rpc.explainWait({ taskId }, attempt), options));
    },
  };
}
