import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import {
  type DeliverEventRequest,
  type DeliverEventResponse,
  DeliverEventResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createRequestPayloadReader } from "@heddle/journal-service";
import { fromProtoBusEvent } from "../domain/bus-event.ts";
import { type ExecutionContext, idOf } from "./context.ts";

export async function deliverEvent(
  context: ExecutionContext,
  request: DeliverEventRequest,
): Promise<DeliverEventResponse> {
  const { nodeId, run, event } = request;
  if (event === undefined) {
    throw new DomainError({
      kind: "invalid_argument",
      reason: "REQUEST_INVALID",
      message: "event must be given",
      violations: [{ field: "event", description: "must be given" }],
    });
  }
  const payload = createRequestPayloadReader("event.payload").read(event.payload) ?? null;
  await context.runtime.submit(idOf(request), {
    type: "deliver_event",
    nodeId,
    run,
    event: fromProtoBusEvent(event, payload),
  });
  return create(DeliverEventResponseSchema);
}
