import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type ResumeMachineRequest,
  type ResumeMachineResponse,
  ResumeMachineResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { describeChanged, idOf, type MachineContext } from "./context.ts";

export async function resumeMachine(
  context: MachineContext,
  request: ResumeMachineRequest,
  call: HandlerContext,
): Promise<ResumeMachineResponse> {
  const id = idOf(request);
  await context.runtime.submit(id, { type: "resume", reason: request.reason });
  return create(ResumeMachineResponseSchema, { machine: await describeChanged(context, id, call) });
}
