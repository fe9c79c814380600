import type { ServiceImpl } from "@connectrpc/connect";
import { isId } from "@heddle/journal";
import {
  type CreateMachineRequest,
  StateMachineService,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import type { OwnerRouter } from "@heddle/rpc";
import { startKeyOf } from "../domain/keys.ts";
import { idOf, type MachineContext, partitionOfName } from "../handlers/context.ts";
import { createMachine, startedByOf } from "../handlers/create-machine.ts";
import { deleteMachine } from "../handlers/delete-machine.ts";
import { getMachine } from "../handlers/get-machine.ts";
import { getPayload } from "../handlers/get-payload.ts";
import { listMachineHistory } from "../handlers/list-machine-history.ts";
import { listMachines } from "../handlers/list-machines.ts";
import { migrateMachine } from "../handlers/migrate-machine.ts";
import { reportInvocation } from "../handlers/report-invocation.ts";
import { resumeMachine } from "../handlers/resume-machine.ts";
import { sendEvent } from "../handlers/send-event.ts";
import { suspendMachine } from "../handlers/suspend-machine.ts";
import { watchMachine } from "../handlers/watch-machine.ts";

const { method } = StateMachineService;

/**
 * The service's methods, each at the owner of what it is about. Lists and payloads need none: every replica has the
 * database.
 */
export function createRoutedMethods(context: MachineContext, router: OwnerRouter) {
  const { runtime } = context;

  const ofMachine = (request: { machineId: string }): number | undefined => {
    const id = idOf(request);
    return isId(id) ? runtime.partitionOf(id) : undefined;
  };
  const ofName = (request: Parameters<typeof partitionOfName>[1]) => partitionOfName(runtime, request);
  /** A creation without a key may run anywhere: here, as long as this process owns anything. */
  const ofCreation = (request: CreateMachineRequest): number => {
    const start = startKeyOf(startedByOf(request));
    return start === undefined ? runtime.partitionOf(runtime.newId()) : runtime.partitionOfKey(start.scope, start.key);
  };

  return {
    createMachine: router.unary(method.createMachine, {
      partitionOf: ofCreation,
      handle: (request, call) => createMachine(context, request, call),
      // Without a key a repetition would be another one, whatever the method's level says.
      isRepeatable: (request) => startKeyOf(startedByOf(request)) !== undefined,
    }),
    sendEvent: router.unary(method.sendEvent, {
      partitionOf: ofName,
      handle: (request, call) => sendEvent(context, request, call),
      isRepeatable: ({ requestId }) => requestId !== "",
    }),
    getMachine: router.unary(method.getMachine, {
      partitionOf: ofName,
      handle: (request) => getMachine(context, request),
    }),
    listMachines: (request) => listMachines(context, request),
    watchMachine: router.stream(method.watchMachine, {
      partitionOf: ofMachine,
      handle: (request, call) => watchMachine(context, request, call),
      resume: (request, { events }) => ({ ...request, afterSeq: events.at(-1)?.seq ?? request.afterSeq }),
    }),
    listMachineHistory: router.unary(method.listMachineHistory, {
      partitionOf: ofMachine,
      handle: (request) => listMachineHistory(context, request),
    }),
    suspendMachine: router.unary(method.suspendMachine, {
      partitionOf: ofMachine,
      handle: (request, call) => suspendMachine(context, request, call),
    }),
    resumeMachine: router.unary(method.resumeMachine, {
      partitionOf: ofMachine,
      handle: (request, call) => resumeMachine(context, request, call),
    }),
    deleteMachine: router.unary(method.deleteMachine, {
      partitionOf: ofMachine,
      handle: (request) => deleteMachine(context, request),
    }),
    migrateMachine: router.unary(method.migrateMachine, {
      partitionOf: ofMachine,
      handle: (request, call) => migrateMachine(context, request, call),
    }),
    reportInvocation: router.unary(method.reportInvocation, {
      partitionOf: ofMachine,
      handle: (request) => reportInvocation(context, request),
      // The run's number makes a repetition of an end harmless; progress would come twice.
      isRepeatable: ({ report }) => report.case !== "progress",
    }),
    getPayload: (request) => getPayload(context, request),
  } satisfies Partial<ServiceImpl<typeof StateMachineService>>;
}
