import type { HandlerContext } from "@connectrpc/connect";
import type { Plan } from "@heddle/engine";
import type { JournalRuntime } from "@heddle/journal";
import type { Hub, Plans, RequestIds } from "@heddle/journal-service";
import type { Execution as ExecutionMessage } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { readChanged } from "@heddle/rpc";
import type { Database } from "@heddle/store";
import { type Execution, executionNotFound, type ExecutionCommand } from "../domain/aggregate.ts";
import { toExecution } from "../domain/to-proto.ts";
import type { WorkflowKeys } from "../domain/workflow-keys.ts";
import type { TellEvent } from "../events/tell-event.ts";
import { taskIdOf } from "../link/task-messages.ts";
import type { AtOwner } from "../forwarding/at-owner.ts";
import type { OpenTasks } from "../link/open-tasks.ts";

/** What the handlers work with. */
export interface ExecutionContext {
  runtime: JournalRuntime<Execution, ExecutionCommand>;
  database: Database;
  plans: Plans<Plan>;
  hub: Hub;
  requestIds: RequestIds;
  workflowKeys: WorkflowKeys;
  openTasks: OpenTasks;
  tellEvent: TellEvent;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Asks the owner of an execution, wherever it is, from within a call. */
  atOwner: AtOwner;
}

/** An empty namespace in a request means this one. */
export const DEFAULT_NAMESPACE = "default";

export function namespaceOf(request: { namespace: string }): string {
  return request.namespace === "" ? DEFAULT_NAMESPACE : request.namespace;
}

export async function readExecution(context: ExecutionContext, id: string): Promise<Execution> {
  const execution = await context.runtime.read(id);
  if (execution === undefined) throw executionNotFound(id);
  return execution;
}

/** The execution as a message, as it stands now. */
export async function describeExecution(context: ExecutionContext, id: string): Promise<ExecutionMessage> {
  const execution = await readExecution(context, id);
  return toExecution(
    id,
    execution,
    (nodeId, attempt) => context.openTasks.runningOn(taskIdOf(id, nodeId, attempt))?.worker,
  );
}

/**
 * The execution after a change that was committed here. The change must not be repeated, so when the partition has moved
 * meanwhile its new owner is asked.
 */
export async function describeChanged(
  context: ExecutionContext,
  id: string,
  call: HandlerContext,
): Promise<ExecutionMessage> {
  return await readChanged(
    () => describeExecution(context, id),
    () => context.atOwner.describe(id, call),
  );
}

/** Ids are compared as texts: the canonical form is lower case. */
export function idOf(request: { executionId: string }): string {
  return request.executionId.toLowerCase();
}
