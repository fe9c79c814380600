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
  const { rows } = await database.query<Raw>({
    name: "list-recent-events",
    text: `select event_id, name, key, execution_id, workflow_id, occurred_at, payload from recent_events
      where namespace = $1 and name = $2 and ($3::text is null or key = $3)
        and (occurred_at, event_id) > ($4::timestamptz, $5::text)
      order by occurred_at, event_id limit $6`,
    values: [
      namespace,
      event,
      key ?? null,
      after === undefined ? page.since : new Date(after.occurredAt),
      after?.id ?? "",
      page.limit,
    ],
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
