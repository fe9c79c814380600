import type { Database } from "@heddle/store";
import { appendEvent } from "./append-event.ts";
import { findDefinition } from "./find-definition.ts";
import type { DefinitionRow } from "./rows.ts";

/** Makes an existing version the active one; `undefined` when the definition is gone. No event when it is active already. */
export async function activateVersion(
  database: Database,
  key: { namespace: string; workflowId: string; now: Date },
  version: number,
): Promise<DefinitionRow | undefined> {
  return database.transaction(async (transaction) => {
    const before = await findDefinition(transaction, key.namespace, key.workflowId, { forUpdate: true });
    if (before === undefined || before.active_version === version) return before;
    await transaction.query({
      text: "update definitions set active_version = $3 where namespace = $1 and workflow_id = $2",
      values: [key.namespace, key.workflowId, version],
    });
    await appendEvent(transaction, key, {
      case: "versionActivated",
      value: { version, previousVersion: before.active_version },
    });
    return findDefinition(transaction, key.namespace, key.workflowId);
  });
}
