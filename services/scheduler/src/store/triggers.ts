import type { JsonObject } from "@heddle/expression";
import type { Queryable } from "@heddle/store";

/** What a trigger waits for and gives, beside its source workflow. Stored as JSON. */
export interface TriggerSpec {
  statuses: string[];
  /** Expression over `event`; empty: always. */
  filter: string;
  /** Template over `event`. */
  input: JsonObject;
}

/** A row of `triggers`. */
export interface TriggerRow {
  namespace: string;
  /** The workflow that declares it, and that it starts. */
  workflowId: string;
  triggerId: string;
  sourceWorkflowId: string;
  spec: TriggerSpec;
  declaredAt: Date;
}

interface Raw {
  namespace: string;
  workflow_id: string;
  trigger_id: string;
  source_workflow_id: string;
  spec: TriggerSpec;
  declared_at: Date;
}

const COLUMNS = "namespace, workflow_id, trigger_id, source_workflow_id, spec, declared_at";

/** Puts these in the place of those that the workflow had. What has fired already stays with a trigger that is still there. */
export async function replaceTriggers(
  transaction: Queryable,
  namespace: string,
  workflowId: string,
  triggers: readonly TriggerRow[],
): Promise<void> {
  await transaction.query({
    text: "delete from triggers where namespace = $1 and workflow_id = $2 and not trigger_id = any($3::text[])",
    values: [namespace, workflowId, triggers.map(({ triggerId }) => triggerId)],
  });
  for (const { triggerId, sourceWorkflowId, spec, declaredAt } of triggers) {
    await transaction.query({
      // Ends of before it was declared do not count; what stays the same was declared before.
      text: `insert into triggers (${COLUMNS}) values ($1, $2, $3, $4, $5::jsonb, $6)
        on conflict (namespace, workflow_id, trigger_id) do update
        set source_workflow_id = excluded.source_workflow_id, spec = excluded.spec,
          declared_at = case when triggers.source_workflow_id = excluded.source_workflow_id
            then triggers.declared_at else excluded.declared_at end`,
      values: [namespace, workflowId, triggerId, sourceWorkflowId, JSON.stringify(spec), declaredAt],
    });
  }
}

/** Those that wait for an end of one of these workflows, given as two lists of the same length. */
export async function listTriggersOf(
  database: Queryable,
  sources: readonly { namespace: string; workflowId: string }[],
): Promise<TriggerRow[]> {
  const { rows } = await database.query<Raw>({
    name: "list-triggers-of",
    text: `select ${COLUMNS} from triggers
      where (namespace, source_workflow_id) in (select * from unnest($1::text[], $2::text[]))
      order by namespace, workflow_id, trigger_id`,
    values: [sources.map(({ namespace }) => namespace), sources.map(({ workflowId }) => workflowId)],
  });
  return rows.map(toTriggerRow);
}

export async function findTrigger(
  database: Queryable,
  { namespace, workflowId, triggerId }: Pick<TriggerRow, "namespace" | "workflowId" | "triggerId">,
): Promise<TriggerRow | undefined> {
  const { rows } = await database.query<Raw>({
    text: `select ${COLUMNS} from triggers where namespace = $1 and workflow_id = $2 and trigger_id = $3`,
    values: [namespace, workflowId, triggerId],
  });
  return rows.map(toTriggerRow)[0];
}

function toTriggerRow(raw: Raw): TriggerRow {
  const { namespace, spec } = raw;
  return {
    namespace,
    workflowId: raw.workflow_id,
    triggerId: raw.trigger_id,
    sourceWorkflowId: raw.source_workflow_id,
    spec,
    declaredAt: raw.declared_at,
  };
}
