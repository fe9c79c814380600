import type { Database } from "@heddle/store";
import { appendEvent } from "./append-event.ts";
import { findDefinition } from "./find-definition.ts";

/** Marks the definition as deleted; false when there is none. Its versions stay for the executions that run them. */
export async function deleteDefinition(
  database: Database,
  key: { namespace: string; workflowId: string; now: Date },
): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const before = await findDefinition(transaction, key.namespace, key.workflowId, { forUpdate: true });
    if (before === undefined) return false;
    await appendEvent(transaction, key, { case: "deleted", value: { version: before.active_version } });
    await transaction.query({
      text: "update definitions set deleted_at = $3 where namespace = $1 and workflow_id = $2",
      values: [key.namespace, key.workflowId, key.now],
    });
    return true;
  });
}
