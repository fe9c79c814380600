import type { PlanDocument } from "@heddle/engine";
import type { Queryable } from "@heddle/store";
import type { PlanKey } from "../domain/plans.ts";

export async function findPlan(database: Queryable, key: PlanKey): Promise<PlanDocument | undefined> {
  const { rows } = await database.query<{ document: string }>({
    // Any uint32 may be asked for, and half of them are no integer of Postgres.
    text: "select document from plans where namespace = $1 and workflow_id = $2 and version = $3::bigint",
    values: [key.namespace, key.workflowId, key.version],
  });
  return rows[0] === undefined ? undefined : (JSON.parse(rows[0].document) as PlanDocument);
}

/** Versions are immutable: whoever comes second finds the same text there. */
export async function savePlan(database: Queryable, key: PlanKey, document: PlanDocument): Promise<void> {
  await database.query({
    text: `insert into plans (namespace, workflow_id, version, document) values ($1, $2, $3, $4) on conflict do nothing`,
    values: [key.namespace, key.workflowId, key.version, JSON.stringify(document)],
  });
}
