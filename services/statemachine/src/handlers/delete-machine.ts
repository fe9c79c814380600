import { create } from "@bufbuild/protobuf";
import {
  type DeleteMachineRequest,
  type DeleteMachineResponse,
  DeleteMachineResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { idOf, type MachineContext } from "./context.ts";

export async function deleteMachine(
  context: MachineContext,
  request: DeleteMachineRequest,
): Promise<DeleteMachineResponse> {
  await context.runtime.submit(idOf(request), { type: "delete", reason: request.reason });
  return create(DeleteMachineResponseSchema);
}
