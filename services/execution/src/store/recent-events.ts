import type { BusEvent, EventWait, Json } from "@heddle/engine";
import type { Queryable } from "@heddle/store";

interface Raw {
  event_id: string;
  name: string;
  key: string;
  execution_id: string;
  workflow_id: string;
  occurred_at: Date;
  payload: string;
}

/** Those that are there already stay as they are. */
export async function insertRecentEvent(database: Queryable, namespace: string, event: BusEvent): Promise<void> {
  const { id, name, key = "", payload, executionId, workflowId, occurredAt } = event;
  await database.query({
    name: "insert-recent-event",
    text: `insert into recent_events (event_id, namespace, name, key, execution_id, workflow_id, occurred_at, payload)
      values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    values: [id, namespace, name, key, executionId, workflowId, new Date(occurredAt), JSON.stringify(payload)],
  });
}

/** Those that a wait is about, oldest first, from `since` on and after the event `after`. */
export async function listRecentEvents(
  database: Queryable,
  namespace: string,
  { event, key }: Pick<EventWait, "event" | "key">,
  page: { since: Date; after?: BusEvent; limit: number },
): Promise<BusEvent[]> {
  const { after } = page;
  const from = after === undefined ? page.since : new Date(after.occurredAt);
  const { rows } = await database.query<Raw>({
    // Two statements: one with an "or" would have one plan for both, and read the events of all keys for a wait for one.
    name: key === undefined ? "list-recent-events" : "list-recent-events-by-key",
    text: `select event_id, name, key, execution_id, workflow_id, occurred_at, payload from recent_events
      where namespace = $1 and name = $2 and (occurred_at, event_id) > ($3::timestamptz, $4::text)
        ${key === undefined ? "" : "and key = $6"}
      order by occurred_at, event_id limit $5`,
    values: [namespace, event, from, after?.id ?? "", page.limit, ...(key === undefined ? [] : [key])],
  });
  return rows.map(toBusEvent);
}

/** At most so many at once: it may have been long ago that anybody did. */
export async function deleteRecentEvents(database: Queryable, before: Date, limit: number): Promise<void> {
  await database.query({
    text: `delete from recent_events where event_id in
      (select event_id from recent_events where occurred_at < $1 order by occurred_at limit $2)`,
    values: [before, limit],
  });
}

function toBusEvent(row: Raw): BusEvent {
  return {
    id: row.event_id,
    name: row.name,
    ...(row.key !== "" && { key: row.key }),
    payload: JSON.parse(row.payload) as Json,
    executionId: row.execution_id,
    workflowId: row.workflow_id,
    occurredAt: row.occurred_at.getTime(),
  };
}
