/** What an argument that names an execution means: its id, or `key:` with the business key that it was started with. */
export type ExecutionTarget = { executionId: string } | { workflowKey: string; namespace: string };

const KEY_PREFIX = "key:";

/** Ids are UUIDs, so that no id begins with the prefix. */
export function targetOf({ namespace }: { namespace: string }, text: string): ExecutionTarget {
  if (!text.startsWith(KEY_PREFIX)) return { executionId: text };
  return { workflowKey: text.slice(KEY_PREFIX.length), namespace };
}
