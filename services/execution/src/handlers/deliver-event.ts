import { create } from "@bufbuild/protobuf";
import type { Json } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import {
  type DeliverEventRequest,
  type DeliverEventResponse,
  DeliverEventResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { fromProtoBusEvent } from "../domain/bus-event.ts";
import { type ExecutionContext, idOf } from "./context.ts";

export async function deliverEvent(
  context: ExecutionContext,
  request: DeliverEventRequest,
): Promise<DeliverEventResponse> {
  const { nodeId, run, event } = request;
  if (event === undefined || event.payload?.form.case === "reference") {
    throw new DomainError({
      kind: "invalid_argument",
      reason: "REQUEST_INVALID",
      message: "the event has no text as its payload",
      violations: [{ field: "event.payload", description: "must hold the text" }],
    });
  }
  const payload = JSON.parse(event.payload?.form.value ?? "null") as Json;
  await context.runtime.submit(idOf(request), {
    type: "deliver_event",
    nodeId,
    run,
    event: fromProtoBusEvent(event, payload),
  });
  return create(DeliverEventResponseSchema);
}
