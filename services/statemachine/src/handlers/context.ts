import type { HandlerContext } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { isId, type JournalRuntime } from "@heddle/journal";
import type { Hub, Plans, RequestIds } from "@heddle/journal-service";
import type { Machine as MachineMessage } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { readChanged } from "@heddle/rpc";
import type { Chart } from "@heddle/statechart";
import type { Database } from "@heddle/store";
import { type Machine, type MachineCommand, machineNotFound } from "../domain/aggregate.ts";
import { businessKey } from "../domain/keys.ts";
import { toMachine } from "../domain/to-proto.ts";
import { findStarted } from "../store/find-started.ts";

/** What the handlers work with. */
export interface MachineContext {
  runtime: JournalRuntime<Machine, MachineCommand>;
  database: Database;
  charts: Plans<Chart>;
  hub: Hub;
  /** By business keys and request ids: see `startKeyOf`. */
  requestIds: RequestIds;
  /** Asks the owner of a machine, wherever it is, from within a call whose change is durable already. */
  describeAtOwner(id: string, call: HandlerContext): Promise<MachineMessage>;
}

/** How a request names a machine: by its id, or by its definition and business key. */
export interface MachineName {
  machineId: string;
  namespace: string;
  workflowId: string;
  key: string;
}

/** An empty namespace in a request means this one. */
const DEFAULT_NAMESPACE = "default";

export function namespaceOf(request: { namespace: string }): string {
  return request.namespace === "" ? DEFAULT_NAMESPACE : request.namespace;
}

/** Ids are compared as texts: the canonical form is lower case. */
export function idOf(request: { machineId: string }): string {
  return request.machineId.toLowerCase();
}

/** Undefined when the request names nothing: any process may say so. */
export function partitionOfName(
  { partitionOf, partitionOfKey }: Pick<MachineContext["runtime"], "partitionOf" | "partitionOfKey">,
  name: MachineName,
): number | undefined {
  if (name.machineId !== "") {
    const id = idOf(name);
    return isId(id) ? partitionOf(id) : undefined;
  }
  if (name.key === "") return undefined;
  const { scope, key } = businessKey(namespaceOf(name), name.workflowId, name.key);
  return partitionOfKey(scope, key);
}

/** The id of the machine that a request names. For the owner of its partition only. */
export async function findNamed({ requestIds, database }: MachineContext, name: MachineName): Promise<string> {
  if (name.machineId !== "") return checkId(idOf(name));
  const { workflowId, key } = name;
  if (workflowId === "" || key === "") throw notNamed();
  const namespace = namespaceOf(name);
  const start = businessKey(namespace, workflowId, key);
  const id =
    (await requestIds.find(start.scope, start.key)) ??
    (await findStarted(database, { namespace, workflowId, key, requestId: "" }));
  if (id === undefined) throw machineNotFound(`of ${workflowId} with the key ${key}`);
  return id;
}

function checkId(id: string): string {
  if (isId(id)) return id;
  throw invalid("machine_id", "must be a UUID as CreateMachine gives it");
}

function notNamed(): DomainError {
  return invalid("machine_id", "must be given, or workflow_id and key in its place");
}

function invalid(field: string, description: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `${field} ${description}`,
    violations: [{ field, description }],
  });
}

export async function readMachine({ runtime }: Pick<MachineContext, "runtime">, id: string): Promise<Machine> {
  const machine = await runtime.read(id);
  if (machine === undefined) throw machineNotFound(id);
  return machine;
}

/** The machine as a message, as it stands now. */
export async function describeMachine(context: MachineContext, id: string): Promise<MachineMessage> {
  return toMachine(id, await readMachine(context, id));
}

/**
 * The machine after a change that was committed here. The change must not be repeated, so when the partition has moved
 * meanwhile its new owner is asked.
 */
export async function describeChanged(
  context: MachineContext,
  id: string,
  call: HandlerContext,
): Promise<MachineMessage> {
  return await readChanged(
    () => describeMachine(context, id),
    () => context.describeAtOwner(id, call),
  );
}
