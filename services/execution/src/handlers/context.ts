import type { JournalRuntime } from "@heddle/journal";
import type { Database } from "@heddle/store";
import { type Execution, executionNotFound, type ExecutionCommand } from "../domain/aggregate.ts";
import type { Hub } from "../domain/hub.ts";
import type { Plans } from "../domain/plans.ts";
import type { RequestIds } from "../domain/request-ids.ts";
import { toExecution } from "../domain/to-proto.ts";
import { taskIdOf } from "../link/task-messages.ts";
import type { OpenTasks } from "../link/open-tasks.ts";

/** What the handlers work with. */
export interface ExecutionContext {
  runtime: JournalRuntime<Execution, ExecutionCommand>;
  database: Database;
  plans: Plans;
  hub: Hub;
  requestIds: RequestIds;
  openTasks: OpenTasks;
}

/** An empty namespace in a request means this one. */
export const DEFAULT_NAMESPACE = "default";

export async function readExecution(context: ExecutionContext, id: string): Promise<Execution> {
  const execution = await context.runtime.read(id);
  if (execution === undefined) throw executionNotFound(id);
  return execution;
}

/** The execution as a message, as it stands now. */
export async function describeExecution(
  context: ExecutionContext,
  id: string,
): Promise<ReturnType<typeof toExecution>> {
  const execution = await readExecution(context, id);
  return toExecution(
    id,
    execution,
    (nodeId, attempt) => context.openTasks.runningOn(taskIdOf(id, nodeId, attempt))?.worker,
  );
}

/** Ids are compared as texts: the canonical form is lower case. */
export function idOf(request: { executionId: string }): string {
  return request.executionId.toLowerCase();
}
