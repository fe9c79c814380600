import { DomainError } from "@heddle/errors";
import { isId } from "@heddle/journal";
import { findByWorkflowKey } from "../store/find-by-workflow-key.ts";
import { type ExecutionContext, idOf, namespaceOf } from "./context.ts";

/** The part of a request that says what it is about: an id, or a business key. */
export interface Target {
  executionId: string;
  workflowKey: string;
  namespace: string;
}

/** Where the request is answered. Undefined: anywhere, because it is refused. */
export function partitionOfTarget({ runtime }: ExecutionContext, target: Target): number | undefined {
  if (target.workflowKey !== "") {
    return target.executionId === "" ? runtime.partitionOfKey(namespaceOf(target), target.workflowKey) : undefined;
  }
  const id = idOf(target);
  return isId(id) ? runtime.partitionOf(id) : undefined;
}

/**
 * Does it to the execution that the request is about. A key means the latest execution that was started with it; all starts
 * with the key and all calls that name it meet in the owner of the key's partition, so that none is missed.
 *
 * @throws DomainError REQUEST_INVALID, EXECUTION_NOT_FOUND
 */
export async function withTarget<T>(
  context: ExecutionContext,
  target: Target,
  run: (id: string) => Promise<T>,
): Promise<T> {
  checkTarget(target);
  if (target.workflowKey === "") return await run(idOf(target));
  for (let before: string | undefined; ; ) {
    const id = await findLatest(context, target);
    if (id === undefined) throw keyNotFound(target);
    try {
      return await run(id);
    } catch (error) {
      if (!(error instanceof DomainError) || error.reason !== "EXECUTION_FINISHED") throw error;
      // What is about to end is the latest one still.
      if (error.metadata.status === "ending") throw error;
      // It may have ended a moment ago, and another one may have started.
      if (id === before) throw keyNotFound(target, id, error.metadata.status);
      before = id;
    }
  }
}

async function findLatest(context: ExecutionContext, target: Target): Promise<string | undefined> {
  const { runtime, workflowKeys, database } = context;
  const namespace = namespaceOf(target);
  const { workflowKey } = target;
  await runtime.whenReady(runtime.partitionOfKey(namespace, workflowKey));
  const known = workflowKeys.latest(namespace, workflowKey);
  const execution = known === undefined ? undefined : await runtime.read(known);
  if (execution !== undefined && execution.state.endedAt === undefined) return known;
  // While another process had the partition, another one may have come after it and ended.
  const projected = await findByWorkflowKey(database, namespace, workflowKey);
  const kept = execution === undefined ? undefined : known;
  return [kept, projected]
    .filter((id) => id !== undefined)
    .sort()
    .at(-1);
}

function checkTarget({ executionId, workflowKey }: Target): void {
  if ((executionId === "") !== (workflowKey === "")) return;
  const description =
    executionId === ""
      ? "must be given, or workflow_key in its place"
      : "cannot be given together with workflow_key; give the one that you have";
  throw new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `execution_id ${description}`,
    violations: [{ field: "execution_id", description }],
  });
}

function keyNotFound(target: Target, latest?: string, status?: string): DomainError {
  const namespace = namespaceOf(target);
  const { workflowKey } = target;
  const message =
    latest === undefined
      ? `there is no execution with the key ${workflowKey} in namespace ${namespace}; StartExecution with it starts one`
      : `no execution with the key ${workflowKey} runs in namespace ${namespace}: the latest, ${latest}, has ${status === "canceled" ? "been canceled" : status}`;
  return new DomainError({
    kind: "not_found",
    reason: "EXECUTION_NOT_FOUND",
    message,
    metadata: { workflow_key: workflowKey, namespace, ...(latest !== undefined && { execution_id: latest }) },
  });
}
