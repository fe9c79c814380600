import { create } from "@bufbuild/protobuf";
import {
  type GetMachineRequest,
  type GetMachineResponse,
  GetMachineResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { describeMachine, findNamed, type MachineContext } from "./context.ts";

export async function getMachine(context: MachineContext, request: GetMachineRequest): Promise<GetMachineResponse> {
  const id = await findNamed(context, request);
  return create(GetMachineResponseSchema, { machine: await describeMachine(context, id) });
}
