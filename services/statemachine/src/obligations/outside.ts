import { create, fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Json, JsonObject } from "@heddle/engine";
import { type Execution, OriginKind } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import {
  type MachineParent,
  MachineParentKind,
  MachineParentSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { Machine as MachineMessage } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { createRpcClient, type RpcTransport } from "@heddle/rpc";
import { callTimeoutMs } from "../domain/limits.ts";
import { hasReason } from "./outcome.ts";

/** Which run of which invocation something outside is for. */
export interface Run {
  machineId: string;
  invokeId: string;
  token: number;
  /** Idempotency key of the start. */
  key: string;
}

export interface StartTarget {
  namespace: string;
  workflowId: string;
  /** 0: the active one. */
  version: number;
  labels: Record<string, string>;
}

export interface Delivery {
  name: string;
  data: Json;
  requestId: string;
}

export type MachineAddress = { machineId: string } | { namespace: string; workflowId: string; key: string };

/** The calls that machines make to others. All may be made again; each throws a DomainError when it is refused. */
export interface Outside {
  startExecution(target: StartTarget, input: JsonObject, run: Run): Promise<Execution>;
  /** Undefined: there is none. */
  findExecution(executionId: string): Promise<Execution | undefined>;
  /** Also when it has ended before, or never was. */
  cancelExecution(executionId: string, reason: string): Promise<void>;
  signalExecution(executionId: string, signal: Delivery): Promise<void>;
  createMachine(target: StartTarget, context: JsonObject, run: Run): Promise<MachineMessage>;
  findMachine(machineId: string): Promise<MachineMessage | undefined>;
  deleteMachine(machineId: string, reason: string): Promise<void>;
  sendEvent(to: MachineAddress, event: Delivery): Promise<void>;
}

/** `self` leads to any replica of this service. */
export function createOutside(execution: RpcTransport, self: RpcTransport): Outside {
  const executions = createRpcClient(ExecutionService, execution);
  const machines = createRpcClient(StateMachineService, self);
  const options = { timeoutMs: callTimeoutMs };

  return {
    async startExecution(target, input, { machineId, invokeId, token, key }) {
      const origin = { kind: OriginKind.MACHINE, id: machineId, name: invokeId, token: BigInt(token) };
      const request = { ...target, input, requestId: key, origin };
      return given((await executions.startExecution(request, options)).execution);
    },
    findExecution: (executionId) =>
      unless(["EXECUTION_NOT_FOUND"], async () => (await executions.getExecution({ executionId }, options)).execution),
    async cancelExecution(executionId, reason) {
      await unless(["EXECUTION_FINISHED", "EXECUTION_NOT_FOUND"], () =>
        executions.cancelExecution({ executionId, reason }, options),
      );
    },
    async signalExecution(executionId, { name, data, requestId }) {
      const payload = fromJson(ValueSchema, data);
      await executions.signalExecution({ executionId, name, payload, requestId }, options);
    },
    async createMachine(target, context, { machineId, invokeId, token, key }) {
      const parent = parentOf(machineId, invokeId, token);
      return given((await machines.createMachine({ ...target, context, requestId: key, parent }, options)).machine);
    },
    findMachine: (machineId) =>
      unless(["MACHINE_NOT_FOUND"], async () => (await machines.getMachine({ machineId }, options)).machine),
    async deleteMachine(machineId, reason) {
      await unless(["MACHINE_NOT_FOUND"], () => machines.deleteMachine({ machineId, reason }, options));
    },
    async sendEvent(to, { name, data, requestId }) {
      await machines.sendEvent({ ...to, event: name, data: fromJson(ValueSchema, data), requestId }, options);
    },
  };
}

function parentOf(id: string, name: string, token: number): MachineParent {
  return create(MachineParentSchema, { kind: MachineParentKind.MACHINE, id, name, token: BigInt(token) });
}

/** Undefined in place of a refusal that says that there is nothing to do. */
async function unless<T>(reasons: readonly string[], call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (hasReason(error, ...reasons)) return undefined;
    throw error;
  }
}

function given<T>(answer: T | undefined): T {
  if (answer === undefined) throw new Error("an answer without what was asked for");
  return answer;
}
