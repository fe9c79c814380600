import type { PlanKey } from "@heddle/journal-service";
import type { ChartDocument, MachineSubscription } from "@heddle/statechart";
import type { Queryable } from "@heddle/store";

/** What each machine hears of executions where it stands, and workflows that any chart here subscribes to. */
export const createSubscriptionTablesSql = `
  create table subscriptions (
    machine_id uuid not null,
    position smallint not null,
    namespace text not null,
    workflow_id text not null,
    statuses text[] not null,
    labels jsonb not null,
    event text not null,
    -- The machine's creation: what ended before does not concern it.
    since timestamptz not null,
    primary key (machine_id, position)
  );
  create index subscriptions_by_workflow on subscriptions (namespace, workflow_id);
  create table subscribed_workflows (
    namespace text not null,
    workflow_id text not null,
    primary key (namespace, workflow_id)
  )`;

export const dropSubscriptionTablesSql = "drop table subscribed_workflows; drop table subscriptions";

/** Before any machine of the chart exists: whoever hears of an end then knows whether it may concern anybody. */
export async function saveSubscribedWorkflows(
  database: Queryable,
  { namespace }: PlanKey,
  { states }: ChartDocument,
): Promise<void> {
  const workflowIds = new Set(
    states.flatMap(({ subscriptions = [] }) => subscriptions.map(({ workflowId }) => workflowId)),
  );
  if (workflowIds.size === 0) return;
  await database.query({
    text: `insert into subscribed_workflows (namespace, workflow_id)
      select $1, w from unnest($2::text[]) as w on conflict do nothing`,
    values: [namespace, [...workflowIds]],
  });
}

/** What of a machine is written beside its row. */
export interface CapturedSubscriptions {
  machineId: string;
  namespace: string;
  since: string;
  subscriptions: readonly MachineSubscription[];
}

/** Replaces what these machines hear. */
export async function writeSubscriptions(
  transaction: Queryable,
  machines: readonly CapturedSubscriptions[],
): Promise<void> {
  await transaction.query({
    name: "delete-subscriptions",
    text: "delete from subscriptions where machine_id = any($1::uuid[])",
    values: [machines.map(({ machineId }) => machineId)],
  });
  const rows = machines.flatMap(({ machineId, namespace, since, subscriptions }) =>
    subscriptions.map(({ workflowId, statuses, labels, event }, position) => ({
      machine_id: machineId,
      position,
      namespace,
      workflow_id: workflowId,
      statuses,
      labels,
      event,
      since,
    })),
  );
  if (rows.length === 0) return;
  await transaction.query({
    name: "insert-subscriptions",
    text: `insert into subscriptions (machine_id, position, namespace, workflow_id, statuses, labels, event, since)
      select machine_id, position, namespace, workflow_id, statuses, labels, event, since
      from jsonb_to_recordset($1::jsonb) as r (machine_id uuid, position smallint, namespace text, workflow_id text,
        statuses text[], labels jsonb, event text, since timestamptz)`,
    values: [JSON.stringify(rows)],
  });
}

export interface Workflow {
  namespace: string;
  workflowId: string;
}

/** Those of these workflows that any chart subscribes to. */
export async function findSubscribed(database: Queryable, workflows: readonly Workflow[]): Promise<Workflow[]> {
  const { rows } = await database.query<Workflow>({
    name: "find-subscribed-workflows",
    text: `select namespace, workflow_id as "workflowId" from subscribed_workflows
      join unnest($1::text[], $2::text[]) as w (namespace, workflow_id) using (namespace, workflow_id)`,
    values: [workflows.map(({ namespace }) => namespace), workflows.map(({ workflowId }) => workflowId)],
  });
  return rows;
}

export interface Subscriber {
  machine_id: string;
  position: number;
  event: string;
}

/** Who waits for this end. */
export async function findSubscribers(
  database: Queryable,
  end: Workflow & { status: string; occurredAt: Date; labels: Record<string, string> },
): Promise<Subscriber[]> {
  const { rows } = await database.query<Subscriber>({
    name: "find-subscribers",
    text: `select machine_id, position, event from subscriptions
      where namespace = $1 and workflow_id = $2 and $3 = any(statuses) and since <= $4 and labels <@ $5::jsonb`,
    values: [end.namespace, end.workflowId, end.status, end.occurredAt, JSON.stringify(end.labels)],
  });
  return rows;
}
