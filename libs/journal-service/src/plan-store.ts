import type { Queryable } from "@heddle/store";
import type { PlanKey } from "./plans.ts";

/** The table of a service's own copies of plans. */
export const createPlanTableSql = `
  create table plans (
    namespace text not null,
    workflow_id text not null,
    version integer not null,
    document text not null,
    primary key (namespace, workflow_id, version)
  )`;

/** @typeParam Document what the definition service has compiled for this service */
export async function findPlan<Document>(database: Queryable, key: PlanKey): Promise<Document | undefined> {
  const { rows } = await database.query<{ document: string }>({
    // Any uint32 may be asked for, and half of them are no integer of Postgres.
    text: "select document from plans where namespace = $1 and workflow_id = $2 and version = $3::bigint",
    values: [key.namespace, key.workflowId, key.version],
  });
  return rows[0] === undefined ? undefined : (JSON.parse(rows[0].document) as Document);
}

/** Versions are immutable: whoever comes second finds the same text there. */
export async function savePlan(database: Queryable, key: PlanKey, document: object): Promise<void> {
  await database.query({
    text: `insert into plans (namespace, workflow_id, version, document) values ($1, $2, $3, $4) on conflict do nothing`,
    values: [key.namespace, key.workflowId, key.version, JSON.stringify(document)],
  });
}
