import type { PlanStarts } from "@heddle/language";
import type { Database, Transaction } from "@heddle/store";
import { toDeclaredStarts } from "../domain/declared-starts.ts";
import { appendEvent } from "./append-event.ts";
import { findDefinition } from "./find-definition.ts";
import type { DefinitionRow } from "./rows.ts";

interface DefinitionKey {
  namespace: string;
  workflowId: string;
  now: Date;
}

/** What a definition shows of its active version. */
export interface ActiveVersion {
  version: number;
  name: string;
  description: string;
  labels: Record<string, string>;
  /** When it starts by itself; travels in the event of its activation. */
  starts: PlanStarts;
}

/** Makes an existing version the active one; `undefined` when the definition is gone. No event when it is active already. */
export async function activateVersion(
  database: Database,
  key: DefinitionKey,
  next: ActiveVersion,
): Promise<DefinitionRow | undefined> {
  return database.transaction(async (transaction) => {
    const before = await findDefinition(transaction, key.namespace, key.workflowId, { forUpdate: true });
    if (before === undefined || before.active_version === next.version) return before;
    await setActiveVersion(transaction, key, next, before.active_version);
    return findDefinition(transaction, key.namespace, key.workflowId);
  });
}

/** Inside the caller's transaction, which holds the definition's row. `previousVersion` is 0 when none was active. */
export async function setActiveVersion(
  transaction: Transaction,
  key: DefinitionKey,
  next: ActiveVersion,
  previousVersion: number,
): Promise<void> {
  await transaction.query({
    text: `update definitions set active_version = $3, name = $4, description = $5, labels = $6::jsonb
      where namespace = $1 and workflow_id = $2`,
    values: [key.namespace, key.workflowId, next.version, next.name, next.description, JSON.stringify(next.labels)],
  });
  const value = { version: next.version, previousVersion, ...toDeclaredStarts(next.starts) };
  await appendEvent(transaction, key, { case: "versionActivated", value });
}
