import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import {
  type ExplainWaitRequest,
  type ExplainWaitResponse,
  ExplainWaitResponseSchema,
  SchedulerService,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { type Dial, FORWARDED_HEADER, forwardCall } from "@heddle/rpc";
import { explainWait } from "../domain/explain.ts";
import type { ShardSet } from "../shards/shard-set.ts";

/** A task's id does not tell its namespace: the own shards are looked through, and then the other replicas are asked. */
export async function handleExplainWait(
  shards: ShardSet,
  dial: Dial | undefined,
  request: ExplainWaitRequest,
  call: HandlerContext,
): Promise<ExplainWaitResponse> {
  for (const { state, clock } of shards.contexts()) {
    const found = explainWait(state, request.taskId, clock.now());
    if (found !== undefined) return create(ExplainWaitResponseSchema, { ...found, rank: BigInt(found.rank) });
  }
  if (dial === undefined || call.requestHeader.has(FORWARDED_HEADER)) throw taskNotFound(request.taskId);
  const answers = await Promise.allSettled(
    shards.listRemoteOwners().map(({ address }) => {
      const headers = { [FORWARDED_HEADER]: "1" };
      return forwardCall(
        dial(address),
        SchedulerService.method.explainWait,
        request,
        call,
        headers,
      ) as Promise<ExplainWaitResponse>;
    }),
  );
  for (const answer of answers) if (answer.status === "fulfilled") return answer.value;
  // Who could not be asked may know it.
  for (const { reason } of answers as PromiseRejectedResult[]) if (!isTaskNotFound(reason)) throw reason;
  throw taskNotFound(request.taskId);
}

function isTaskNotFound(error: unknown): boolean {
  return error instanceof DomainError && error.reason === "TASK_NOT_FOUND";
}

function taskNotFound(taskId: string): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "TASK_NOT_FOUND",
    message: `no task ${taskId} waits or runs; it may have ended, or its execution has not reached it yet`,
    metadata: { task_id: taskId },
  });
}
