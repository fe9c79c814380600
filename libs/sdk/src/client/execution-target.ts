/** An execution by its id, or the latest one that was started with a business key in the namespace of the client. */
export type ExecutionTarget = string | { workflowKey: string };

export type TargetFields = { executionId: string } | { workflowKey: string; namespace: string };

export function targetFields(namespace: string, target: ExecutionTarget): TargetFields {
  return typeof target === "string" ? { executionId: target } : { workflowKey: target.workflowKey, namespace };
}
