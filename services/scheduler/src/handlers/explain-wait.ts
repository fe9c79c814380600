import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import {
  type ExplainWaitRequest,
  type ExplainWaitResponse,
  ExplainWaitResponseSchema,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import type { SchedulerContext } from "../context.ts";
import { explainWait } from "../domain/explain.ts";

export function handleExplainWait(
  { state, clock }: SchedulerContext,
  { taskId }: ExplainWaitRequest,
): ExplainWaitResponse {
  const found = explainWait(state, taskId, clock.now());
  if (found === undefined) {
    throw new DomainError({
      kind: "not_found",
      reason: "TASK_NOT_FOUND",
      message: `no task ${taskId} waits or runs; it may have ended, or its execution has not reached it yet`,
      metadata: { task_id: taskId },
    });
  }
  return create(ExplainWaitResponseSchema, { ...found, rank: BigInt(found.rank) });
}
