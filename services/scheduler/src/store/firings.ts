import type { Queryable } from "@heddle/store";

export interface FiringKey {
  namespace: string;
  workflowId: string;
  triggerId: string;
  /** The event that it is about: once for each. */
  eventId: string;
}

/** A row of `trigger_firings`: a start that a trigger owes. */
export interface FiringRow extends FiringKey {
  /** The execution that ended. */
  executionId: string;
  attempts: number;
  occurredAt: Date;
}

interface Raw {
  namespace: string;
  workflow_id: string;
  trigger_id: string;
  event_id: string;
  execution_id: string;
  attempts: number;
  occurred_at: Date;
}

const OF_KEY = "namespace = $1 and workflow_id = $2 and trigger_id = $3 and event_id = $4";
const valuesOf = ({ namespace, workflowId, triggerId, eventId }: FiringKey): unknown[] => [
  namespace,
  workflowId,
  triggerId,
  eventId,
];

export async function insertFiring(transaction: Queryable, firing: FiringRow, nowMs: number): Promise<void> {
  await transaction.query({
    name: "insert-firing",
    text: `insert into trigger_firings (namespace, workflow_id, trigger_id, event_id, execution_id, attempts, wake_at, occurred_at)
      values ($1, $2, $3, $4, $5, 0, $6, $7) on conflict do nothing`,
    values: [...valuesOf(firing), firing.executionId, new Date(nowMs), firing.occurredAt],
  });
}

export async function listDueFirings(
  database: Queryable,
  namespaces: readonly string[],
  nowMs: number,
  limit: number,
): Promise<FiringRow[]> {
  const { rows } = await database.query<Raw>({
    name: "list-due-firings",
    text: `select namespace, workflow_id, trigger_id, event_id, execution_id, attempts, occurred_at from trigger_firings
      where wake_at <= $2 and namespace = any($1::text[]) order by wake_at limit $3`,
    values: [namespaces, new Date(nowMs), limit],
  });
  return rows.map((row) => ({
    namespace: row.namespace,
    workflowId: row.workflow_id,
    triggerId: row.trigger_id,
    eventId: row.event_id,
    executionId: row.execution_id,
    attempts: row.attempts,
    occurredAt: row.occurred_at,
  }));
}

export async function nextFiringWake(database: Queryable, namespaces: readonly string[]): Promise<number | undefined> {
  const { rows } = await database.query<{ wake_at: Date | null }>({
    name: "next-firing-wake",
    text: "select min(wake_at) as wake_at from trigger_firings where wake_at is not null and namespace = any($1::text[])",
    values: [namespaces],
  });
  return rows[0]?.wake_at?.getTime();
}

export async function deleteFiring(database: Queryable, key: FiringKey): Promise<void> {
  await database.query({ text: `delete from trigger_firings where ${OF_KEY}`, values: valuesOf(key) });
}

/** To be tried again at a later time. */
export async function postponeFiring(database: Queryable, key: FiringKey, untilMs: number): Promise<void> {
  await database.query({
    text: `update trigger_firings set attempts = attempts + 1, wake_at = $5 where ${OF_KEY} and parked_reason is null`,
    values: [...valuesOf(key), new Date(untilMs)],
  });
}

/** Never to be tried again; kept for a person to look at, until `keptSinceMs` passes it. */
export async function parkFiring(
  database: Queryable,
  key: FiringKey,
  reason: string,
  keptSinceMs: number,
): Promise<void> {
  await database.query({
    text: `update trigger_firings set wake_at = null, parked_reason = $5 where ${OF_KEY}`,
    values: [...valuesOf(key), reason],
  });
  await database.query({
    text: "delete from trigger_firings where namespace = $1 and parked_reason is not null and occurred_at < $2",
    values: [key.namespace, new Date(keptSinceMs)],
  });
}
