import { randomUUID } from "node:crypto";
import { create, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { DEFAULT_MAX_PAYLOAD_BYTES, findSizeFault, type Json } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import {
  type PublishEventRequest,
  type PublishEventResponse,
  PublishEventResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { type ExecutionContext, namespaceOf } from "./context.ts";

/** Any replica can tell it: those that wait stand in the database. */
export async function publishEvent(
  { tellEvent, now }: ExecutionContext,
  request: PublishEventRequest,
): Promise<PublishEventResponse> {
  const { name, key } = request;
  const namespace = namespaceOf(request);
  const payload: Json = request.payload === undefined ? null : toJson(ValueSchema, request.payload);
  const description = findSizeFault(payload, DEFAULT_MAX_PAYLOAD_BYTES);
  if (description !== undefined) {
    throw new DomainError({
      kind: "invalid_argument",
      reason: "PAYLOAD_TOO_LARGE",
      message: `payload ${description}`,
      violations: [{ field: "payload", description }],
    });
  }
  const eventId = `external/${namespace}/${request.requestId === "" ? randomUUID() : request.requestId}`;
  const told = await tellEvent(namespace, {
    id: eventId,
    name,
    ...(key !== "" && { key }),
    payload,
    executionId: "",
    workflowId: "",
    occurredAt: now(),
  });
  return create(PublishEventResponseSchema, { eventId, told });
}
