import { create, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type SendEventRequest,
  type SendEventResponse,
  SendEventResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { describeChanged, findNamed, type MachineContext } from "./context.ts";

export async function sendEvent(
  context: MachineContext,
  request: SendEventRequest,
  call: HandlerContext,
): Promise<SendEventResponse> {
  const { event: name, requestId } = request;
  const id = await findNamed(context, request);
  const data = request.data === undefined ? null : toJson(ValueSchema, request.data);
  const handled = await context.runtime.submit(id, { type: "send", name, data, requestId });
  return create(SendEventResponseSchema, {
    machine: await describeChanged(context, id, call),
    handled: handled === true,
  });
}
