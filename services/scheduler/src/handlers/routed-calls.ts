import type { HandlerContext } from "@connectrpc/connect";
import {
  type DescribeQueueRequest,
  type DescribeQueueResponse,
  type ExplainWaitRequest,
  type ExplainWaitResponse,
  type ListWorkersRequest,
  type ListWorkersResponse,
  SchedulerService,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { createOwnerRouter, type Dial } from "@heddle/rpc";
import { shardOf } from "@heddle/shards";
import type { SchedulerContext } from "../context.ts";
import type { ShardSet } from "../shards/shard-set.ts";
import { shuttingDown } from "../sessions.ts";
import { describeQueue } from "./describe-queue.ts";
import { handleExplainWait } from "./explain-wait.ts";
import { listWorkers } from "./list-workers.ts";

type Call<I, O> = (request: I, call: HandlerContext) => Promise<O>;

/** Calls about what one shard holds: answered by its owner, whichever replica got them. */
export interface RoutedCalls {
  listWorkers: Call<ListWorkersRequest, ListWorkersResponse>;
  describeQueue: Call<DescribeQueueRequest, DescribeQueueResponse>;
  explainWait: Call<ExplainWaitRequest, ExplainWaitResponse>;
}

export function createRoutedCalls(shards: ShardSet, dial: Dial | undefined): RoutedCalls {
  const router = createOwnerRouter({ directory: shards.directory, dial });
  const partitionOf = ({ namespace }: { namespace: string }): number => shardOf(namespace);
  const contextOf = (request: { namespace: string }): SchedulerContext => {
    const context = shards.findContext(partitionOf(request));
    // The router has just found that it is here; only a stop comes in between.
    if (context === undefined) throw shuttingDown();
    return context;
  };
  return {
    listWorkers: router.unary(SchedulerService.method.listWorkers, {
      partitionOf,
      handle: async (request) => listWorkers(contextOf(request), request),
    }),
    describeQueue: router.unary(SchedulerService.method.describeQueue, {
      partitionOf,
      handle: async (request) => describeQueue(contextOf(request), request),
    }),
    explainWait: (request, call) => handleExplainWait(shards, dial, request, call),
  };
}
