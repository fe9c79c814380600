import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Failure, MachineCancellation, MachineObligation } from "@heddle/engine";
import { atHome, DomainError, isFinal } from "@heddle/errors";
import type { JournalRuntime } from "@heddle/journal";
import { type Machine, MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { MachineParentKind } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import type { RpcClient } from "@heddle/rpc";
import type { Logger } from "@heddle/telemetry";
import type { Execution, ExecutionCommand } from "./aggregate.ts";
import { createDeliveries } from "./deliveries.ts";

/** State machines that nodes create: they are there, have their events, and go when nobody waits for them. */
export interface Machines {
  /** Idempotent by the machine's request id. Goes on trying until the node has an answer or no longer asks. */
  create(executionId: string, machine: MachineObligation): void;
  /**
   * `mayExist`: without an id, whether its creation may have been sent: by a process before this one. Goes on trying
   * until it is gone.
   */
  cancel(executionId: string, namespace: string, machine: MachineCancellation, options?: { mayExist: boolean }): void;
  stop(): void;
}

export interface MachinesOptions {
  runtime(): JournalRuntime<Execution, ExecutionCommand>;
  client: RpcClient<typeof StateMachineService>;
  logger: Logger;
}

export function createMachines({ runtime, client, logger }: MachinesOptions): Machines {
  const deliveries = createDeliveries(logger);
  /** Request ids whose creation was sent and whose end nobody has asked for. */
  const sent = new Set<string>();

  const send = async (executionId: string, namespace: string, machine: MachineObligation, labels = {}) => {
    const { nodeId, workflowId, version = 0, key = "", context, requestId } = machine;
    sent.add(requestId);
    const parent = { kind: MachineParentKind.EXECUTION, id: executionId, name: nodeId };
    const answer = await client.createMachine({
      namespace,
      workflowId,
      version,
      key,
      context,
      requestId,
      labels,
      parent,
    });
    return answer.machine as Machine;
  };

  /** In order: each is taken before the next one is sent. A machine that has ended meanwhile needs no more of them. */
  const feed = async ({ machineId }: Machine, { events }: MachineObligation): Promise<void> => {
    for (const [index, { event, data }] of events.entries()) {
      try {
        await client.sendEvent({ machineId, event, data: fromJson(ValueSchema, data), requestId: `start/${index}` });
      } catch (error) {
        if (error instanceof DomainError && error.reason === "MACHINE_FINISHED") return;
        throw error;
      }
    }
  };

  const tell = async (executionId: string, command: ExecutionCommand): Promise<void> => {
    try {
      await atHome(runtime().submit(executionId, command));
    } catch (error) {
      // A node that has ended, or knows it already, refuses.
      if (!(error instanceof DomainError) || error.reason !== "MACHINE_NOT_AWAITED") throw error;
    }
  };

  const fail = (executionId: string, nodeId: string, type: string, message: string): Promise<void> =>
    tell(executionId, { type: "fail_machine", nodeId, failure: { type, message, retryable: false } });

  const create = async (executionId: string, machine: MachineObligation): Promise<void> => {
    const { nodeId } = machine;
    const execution = await atHome(runtime().read(executionId));
    if (execution === undefined || !isAwaited(execution, nodeId)) return;
    const { namespace, labels } = execution.state;
    let existing: Machine;
    try {
      existing = await send(executionId, namespace, machine, labels);
    } catch (error) {
      if (!isFinal(error)) throw error;
      sent.delete(machine.requestId);
      return fail(executionId, nodeId, error.reason.toLowerCase(), error.message);
    }
    if (!isOf(existing, executionId, nodeId)) {
      sent.delete(machine.requestId);
      return fail(executionId, nodeId, "key_exists", keyExists(existing));
    }
    try {
      // Its end may have been told before this process listened, and is told again by nobody.
      const end = endOf(existing, nodeId);
      if (end === undefined) await feed(existing, machine);
      await tell(executionId, end ?? { type: "acknowledge_machine", nodeId, machineId: existing.machineId });
    } catch (error) {
      if (!isFinal(error)) throw error;
      // One that does not take its events is of no use, and nobody else knows of it.
      cancel(executionId, namespace, { ...machine, machineId: existing.machineId });
      return fail(executionId, nodeId, error.reason.toLowerCase(), error.message);
    }
    sent.delete(machine.requestId);
  };

  const cancel: Machines["cancel"] = (executionId, namespace, machine, { mayExist } = { mayExist: false }) => {
    const { requestId } = machine;
    if (machine.machineId === undefined && !mayExist && !sent.has(requestId)) return;
    deliveries.repeat(`delete ${requestId}`, async () => {
      try {
        // Only its creation, repeated, tells which one it is: it may have been made without an answer.
        const created = machine.machineId === undefined ? await send(executionId, namespace, machine) : undefined;
        const machineId = machine.machineId ?? created?.machineId;
        if (created === undefined || isOf(created, executionId, machine.nodeId)) {
          await client.deleteMachine({ machineId, reason: `execution ${executionId} has ended` });
        }
      } catch (error) {
        if (!isGone(error)) throw error;
        logger.debug({ err: error, executionId, requestId }, "there is no machine to delete");
      }
      sent.delete(requestId);
    });
  };

  return {
    create: (executionId, machine) =>
      deliveries.repeat(`create ${machine.requestId}`, () => create(executionId, machine)),
    cancel,
    stop: () => deliveries.stop(),
  };
}

function isAwaited({ plan, state }: Execution, nodeId: string): boolean {
  const index = plan.indices.get(nodeId);
  const node = index === undefined ? undefined : state.nodes[index];
  return node?.status === "waiting" && node.machineId === undefined && node.fallback === undefined;
}

function endOf({ machineId, status, output, failure }: Machine, nodeId: string): ExecutionCommand | undefined {
  switch (status) {
    case MachineStatus.FINISHED:
      return {
        type: "complete_machine",
        nodeId,
        machineId,
        output: output === undefined ? null : toJson(ValueSchema, output),
      };
    case MachineStatus.FAILED: {
      const { type = "machine_failed", message = "" } = failure ?? {};
      return { type: "fail_machine", nodeId, machineId, failure: { type, message } };
    }
    case MachineStatus.DELETED:
      return { type: "fail_machine", nodeId, machineId, failure: machineDeleted("") };
    default:
      return undefined;
  }
}

/** The failure of a node whose machine was deleted. */
export function machineDeleted(reason: string): Failure {
  return { type: "machine_deleted", message: `the machine was deleted${reason === "" ? "" : `: ${reason}`}` };
}

/** A key may belong to a machine that somebody else has created: its end would not come here. */
function isOf({ parent }: Machine, executionId: string, nodeId: string): boolean {
  return parent?.id === executionId && parent.name === nodeId;
}

function keyExists({ key, machineId }: Machine): string {
  return `the key ${key} belongs to machine ${machineId}, which this execution has not created; use another key, or send events to that machine`;
}

/** Whether there is nothing to delete, and never will be. Who is not let in today may be tomorrow, and the machine is still there. */
function isGone(error: unknown): error is DomainError {
  return isFinal(error) && error.kind !== "permission_denied" && error.kind !== "unauthenticated";
}
