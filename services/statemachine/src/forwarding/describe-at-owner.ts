import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type GetMachineRequest,
  GetMachineRequestSchema,
  type GetMachineResponse,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { ownCallOf } from "@heddle/rpc";
import { machineNotFound } from "../domain/aggregate.ts";
import type { MachineContext } from "../handlers/context.ts";

/** The method as it is served: it goes to the owner. */
interface OwnerMethods {
  getMachine(request: GetMachineRequest, call: HandlerContext): Promise<GetMachineResponse>;
}

export function createDescribeAtOwner(methods: () => OwnerMethods): MachineContext["describeAtOwner"] {
  return async (machineId, call) => {
    const { machine } = await methods().getMachine(create(GetMachineRequestSchema, { machineId }), ownCallOf(call));
    if (machine === undefined) throw machineNotFound(machineId);
    return machine;
  };
}
