import { randomUUID } from "node:crypto";
import { fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { MachineStatusSchema } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { createRpcClient } from "@heddle/rpc";
import type { Json, JsonObject } from "../json.ts";
import { PAGE_SIZE } from "../limits.ts";
import type { CallOptions } from "./call.ts";
import type { ClientContext } from "./context.ts";
import { plainMachineEvent, type MachineEvent } from "./machine-event.ts";
import { plainMachine, type Machine, type MachineStatus } from "./machine.ts";
import { eachItem, type Page } from "./pages.ts";
import { enumValue, plainPayload, type PayloadReference } from "./plain.ts";
import { present } from "./present.ts";
import { watchMachine, type WatchOptions } from "./watch.ts";

/** A machine, by its id or by its business key. */
export type MachineName = string | { workflowId: string; key: string };

export interface CreateMachineRequest {
  workflowId: string;
  /** Business key, unique among the machines of the definition: the same key gives the machine that exists. */
  key?: string;
  /** Replaces fields of the definition's context. */
  context?: JsonObject;
  /** Default: the active version. */
  version?: number;
  /** The same id gives the same machine. Default: a fresh one, which makes this call's own repetitions safe. */
  requestId?: string;
  labels?: Record<string, string>;
}

export interface MachineFilter {
  workflowId?: string;
  status?: MachineStatus;
  /** Only machines in this state. */
  state?: string;
  key?: string;
  /** All of them must be there. */
  labels?: Record<string, string>;
}

export interface MigrateRequest {
  version: number;
  /** Old names of states to new ones, where they differ. */
  stateMapping?: Record<string, string>;
  /** Change nothing, only say what would become of the machine. */
  dryRun?: boolean;
}

export interface MachineMigration {
  /** After the change; as it is for a dry run. */
  machine: Machine;
  /** What prevents the migration; empty when it is possible. */
  obstacles: string[];
  /** Active innermost states afterwards. */
  configuration: string[];
  /** Timers and invocations that the new version has no place for. */
  canceledTimers: string[];
  canceledInvocations: string[];
}

export interface MachinesClient {
  /** Answers once the machine is durable, in its first stable states. @throws DomainError `DEFINITION_NOT_FOUND`, `NOT_A_STATE_MACHINE`, `INPUT_INVALID`, ... */
  create(request: CreateMachineRequest, options?: CallOptions): Promise<Machine>;
  /**
   * Answers once everything that the event sets off is durable. `handled` is false when it led nowhere, or waits.
   * @throws DomainError `EVENT_NOT_EXPECTED`, `MACHINE_FINISHED`
   */
  send(
    machine: MachineName,
    event: string,
    data?: Json,
    options?: CallOptions & { requestId?: string },
  ): Promise<{ machine: Machine; handled: boolean }>;
  /** Never older than the last acknowledged change. @throws DomainError `MACHINE_NOT_FOUND` */
  get(machine: MachineName, options?: CallOptions): Promise<Machine>;
  /** Newest first, without contexts. */
  list(filter?: MachineFilter, options?: CallOptions): AsyncGenerator<Machine, void, undefined>;
  listPage(
    filter?: MachineFilter & { pageSize?: number; pageToken?: string },
    options?: CallOptions,
  ): Promise<Page<Machine>>;
  /** All events so far, in order. */
  history(machineId: string, options?: CallOptions): AsyncGenerator<MachineEvent, void, undefined>;
  /** All events so far, and those to come, to the end of the machine; comes back by itself when the stream breaks. */
  watch(machineId: string, options?: WatchOptions): AsyncGenerator<MachineEvent, void, undefined>;
  /** Events wait until it is resumed. */
  suspend(machineId: string, reason?: string, options?: CallOptions): Promise<Machine>;
  resume(machineId: string, reason?: string, options?: CallOptions): Promise<Machine>;
  /** Ends it, and what its states have invoked, without running exit actions. */
  delete(machineId: string, reason?: string, options?: CallOptions): Promise<void>;
  /** @throws DomainError `MIGRATION_IMPOSSIBLE`, which a dry run only tells */
  migrate(machineId: string, request: MigrateRequest, options?: CallOptions): Promise<MachineMigration>;
  /** The value that a reference in an event stands for. @throws DomainError `PAYLOAD_NOT_FOUND` */
  payload(reference: PayloadReference, options?: CallOptions): Promise<Json>;
}

export function createMachinesClient({ transport, namespace, call }: ClientContext): MachinesClient {
  const rpc = createRpcClient(StateMachineService, transport);
  const named = (machine: MachineName) =>
    typeof machine === "string" ? { machineId: machine } : { namespace, ...machine };

  async function listPage(
    filter: Parameters<MachinesClient["listPage"]>[0] = {},
    options?: CallOptions,
  ): Promise<Page<Machine>> {
    const { status, pageSize = PAGE_SIZE, pageToken = "", ...rest } = filter;
    const request = {
      ...rest,
      namespace,
      status: status === undefined ? 0 : enumValue(MachineStatusSchema, status),
      pageSize,
      pageToken,
    };
    const { machines, nextPageToken } = await call((attempt) => rpc.listMachines(request, attempt), options);
    return { items: machines.map(plainMachine), nextPageToken };
  }

  return {
    async create(request, options) {
      const full = { ...request, namespace, requestId: request.requestId ?? randomUUID() };
      const { machine } = await call((attempt) => rpc.createMachine(full, attempt), options);
      return plainMachine(present(machine));
    },
    async send(machine, event, data = null, { requestId = randomUUID(), ...options } = {}) {
      const request = { ...named(machine), event, data: fromJson(ValueSchema, data), requestId };
      const answer = await call((attempt) => rpc.sendEvent(request, attempt), options);
      return { machine: plainMachine(present(answer.machine)), handled: answer.handled };
    },
    async get(machine, options) {
      const answer = await call((attempt) => rpc.getMachine(named(machine), attempt), options);
      return plainMachine(present(answer.machine));
    },
    list: (filter, options) => eachItem((pageToken) => listPage({ ...filter, pageToken }, options)),
    listPage,
    history: (machineId, options) =>
      eachItem(async (pageToken) => {
        const request = { machineId, pageSize: PAGE_SIZE, pageToken };
        const { events, nextPageToken } = await call((attempt) => rpc.listMachineHistory(request, attempt), options);
        return { items: events.map(plainMachineEvent), nextPageToken };
      }),
    watch: (machineId, options = {}) => watchMachine(rpc, machineId, options),
    async suspend(machineId, reason = "", options) {
      const answer = await call((attempt) => rpc.suspendMachine({ machineId, reason }, attempt), options);
      return plainMachine(present(answer.machine));
    },
    async resume(machineId, reason = "", options) {
      const answer = await call((attempt) => rpc.resumeMachine({ machineId, reason }, attempt), options);
      return plainMachine(present(answer.machine));
    },
    async delete(machineId, reason = "", options) {
      await call((attempt) => rpc.deleteMachine({ machineId, reason }, attempt), options);
    },
    async migrate(machineId, request, options) {
      const answer = await call((attempt) => rpc.migrateMachine({ machineId, ...request }, attempt), options);
      const { obstacles, configuration, canceledTimers, canceledInvocations } = answer;
      const machine = plainMachine(present(answer.machine));
      return { machine, obstacles, configuration, canceledTimers, canceledInvocations };
    },
    async payload({ digest }, options) {
      const { payload } = await call((attempt) => rpc.getPayload({ digest }, attempt), options);
      return plainPayload(present(payload)) as Json;
    },
  };
}
