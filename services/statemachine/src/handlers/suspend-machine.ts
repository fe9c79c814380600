import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type SuspendMachineRequest,
  type SuspendMachineResponse,
  SuspendMachineResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { describeChanged, idOf, type MachineContext } from "./context.ts";

export async function suspendMachine(
  context: MachineContext,
  request: SuspendMachineRequest,
  call: HandlerContext,
): Promise<SuspendMachineResponse> {
  const id = idOf(request);
  await context.runtime.submit(id, { type: "suspend", reason: request.reason });
  return create(SuspendMachineResponseSchema, { machine: await describeChanged(context, id, call) });
}
