import { randomUUID } from "node:crypto";
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { durationMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { findUpdateOutcome, type Json } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import {
  type UpdateExecutionRequest,
  type UpdateExecutionResponse,
  UpdateExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { afterCommit } from "@heddle/rpc";
import { answerMarginMs, defaultUpdateWaitMs, maxUpdateWaitMs } from "../domain/limits.ts";
import { toFailure } from "../domain/to-proto.ts";
import { waitUntil } from "../domain/wait-until.ts";
import { checkInteraction } from "./check-interaction.ts";
import { type ExecutionContext, readExecution } from "./context.ts";
import { withTarget } from "./target.ts";

/**
 * Gives the update a request id if the caller has not: before its owner is looked for, so that it stays the same one however
 * often its partition moves.
 */
export function identifyUpdate(request: UpdateExecutionRequest): UpdateExecutionRequest {
  return request.requestId === "" ? { ...request, requestId: randomUUID() } : request;
}

/**
 * Validates, applies and answers a request that has a request id. What is accepted is durable before anything is answered: who
 * got no answer asks again with the same one, wherever the execution is by then.
 */
export async function updateExecution(
  context: ExecutionContext,
  request: UpdateExecutionRequest,
  call: HandlerContext,
): Promise<UpdateExecutionResponse> {
  const waitMs = waitOf(request, call);
  return await withTarget(context, request, (id) => updateOne(context, id, request, { waitMs, signal: call.signal }));
}

async function updateOne(
  context: ExecutionContext,
  id: string,
  { name, requestId, payload: value }: UpdateExecutionRequest,
  options: { waitMs: number; signal: AbortSignal },
): Promise<UpdateExecutionResponse> {
  const payload: Json = value === undefined ? null : toJson(ValueSchema, value);
  const { plan, state } = await readExecution(context, id);
  // What was accepted is not refused when it is asked again: the schema is the version's, and stays the same.
  if (findUpdateOutcome(state, requestId) === undefined) {
    checkInteraction(
      `update ${name} of ${plan.document.workflowId}`,
      plan.updates.get(name)?.definition,
      payload,
      "payload",
    );
  }
  await context.runtime.submit(id, { type: "update", name, payload, requestId });
  const outcome = await afterCommit(async () => {
    await waitUntil(context, id, ({ state: now }) => findUpdateOutcome(now, requestId)?.status !== "open", options);
    return findUpdateOutcome((await readExecution(context, id)).state, requestId);
  });
  return create(UpdateExecutionResponseSchema, {
    requestId,
    executionId: id,
    ...(outcome?.status === "answered" && { reply: fromJson(ValueSchema, outcome.reply) }),
    ...(outcome?.status === "failed" && { failure: toFailure(outcome.failure) }),
  });
}

/** The answer must leave before the deadline: the update is durable, and an error would hide that. */
function waitOf({ wait }: UpdateExecutionRequest, call: HandlerContext): number {
  const left = call.timeoutMs();
  const asked = wait === undefined ? undefined : durationMs(wait);
  if (asked !== undefined && !(asked >= 0 && asked <= maxUpdateWaitMs)) {
    const description = `must be from 0 to ${maxUpdateWaitMs / 1000} s, not ${asked / 1000} s`;
    throw new DomainError({
      kind: "invalid_argument",
      reason: "REQUEST_INVALID",
      message: `wait ${description}`,
      violations: [{ field: "wait", description }],
    });
  }
  const waitMs = asked ?? (left === undefined ? defaultUpdateWaitMs : maxUpdateWaitMs);
  return Math.max(0, Math.min(waitMs, (left ?? Number.POSITIVE_INFINITY) - answerMarginMs));
}
