import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import type { ExecutionState } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import {
  type DeleteExecutionRequest,
  type DeleteExecutionResponse,
  DeleteExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { deletionWaitMs } from "../domain/limits.ts";
import { purgeExecutions } from "../store/purge.ts";
import { type ExecutionContext, idOf, readExecution } from "./context.ts";

const PAUSE_MS = 20;

export async function deleteExecution(
  context: ExecutionContext,
  request: DeleteExecutionRequest,
): Promise<DeleteExecutionResponse> {
  const id = idOf(request);
  const { state } = await readExecution(context, id);
  if (state.endedAt === undefined) throw notFinished(id, "cancel it before");
  const running = await findRunningAncestor(context, state);
  if (running !== undefined) {
    const whose = running === state.parent?.executionId ? "its parent" : "an ancestor of it,";
    throw notFinished(id, `${whose} ${running} has not ended: delete it after that`);
  }
  // Its end may not be projected yet, which takes no longer than a moment.
  for (const until = performance.now() + deletionWaitMs; ; ) {
    const [gone] = await purgeExecutions(context.database, [id]);
    if (gone !== undefined) return create(DeleteExecutionResponseSchema, {});
    if (performance.now() > until) break;
    await sleep(PAUSE_MS);
  }
  throw new DomainError({
    kind: "unavailable",
    reason: "DEPENDENCY_UNAVAILABLE",
    message: `the end of execution ${id} is not stored yet, so that it cannot be deleted; try again`,
    retryAfterMs: 1_000,
  });
}

/** Whoever is above it may undo it, by what is kept of it, as long as it runs. */
async function findRunningAncestor({ runtime }: ExecutionContext, { parent }: ExecutionState) {
  for (let id = parent?.executionId; id !== undefined; ) {
    const ancestor = await runtime.read(id);
    if (ancestor !== undefined && ancestor.state.endedAt === undefined) return id;
    id = ancestor?.state.parent?.executionId;
  }
  return undefined;
}

function notFinished(id: string, remedy: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "EXECUTION_NOT_FINISHED",
    message: `execution ${id} cannot be deleted: ${remedy}`,
    metadata: { execution_id: id },
  });
}
