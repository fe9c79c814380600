import type { EventWait } from "@heddle/engine";
import type { Queryable } from "@heddle/store";

/** A wait with whose it is. */
export interface StoredWait {
  executionId: string;
  nodeId: string;
  run: number;
}

export async function insertEventWait(
  database: Queryable,
  namespace: string,
  executionId: string,
  { nodeId, run, event, key }: EventWait,
): Promise<void> {
  await database.query({
    name: "insert-event-wait",
    text: `insert into event_waits (namespace, event, key, execution_id, node_id, run)
      values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    values: [namespace, event, key ?? null, executionId, nodeId, run],
  });
}

export async function deleteEventWait(database: Queryable, { executionId, nodeId, run }: StoredWait): Promise<void> {
  await database.query({
    name: "delete-event-wait",
    text: "delete from event_waits where execution_id = $1 and node_id = $2 and run = $3",
    values: [executionId, nodeId, run],
  });
}

/** Those of runs of the node before this one. */
export async function deleteEventWaitsBefore(
  database: Queryable,
  { executionId, nodeId, run }: StoredWait,
): Promise<void> {
  await database.query({
    name: "delete-event-waits-before",
    text: "delete from event_waits where execution_id = $1 and node_id = $2 and run < $3",
    values: [executionId, nodeId, run],
  });
}

export async function deleteEventWaitsOf(database: Queryable, executionId: string): Promise<void> {
  await database.query({
    name: "delete-event-waits-of",
    text: "delete from event_waits where execution_id = $1",
    values: [executionId],
  });
}

/** What waits for an event of this name and key. */
export async function listEventWaits(
  database: Queryable,
  { namespace, name, key }: { namespace: string; name: string; key: string },
): Promise<StoredWait[]> {
  const { rows } = await database.query<{ execution_id: string; node_id: string; run: number }>({
    name: "list-event-waits",
    text: `select execution_id, node_id, run from event_waits
      where namespace = $1 and event = $2 and (key is null or key = $3) order by execution_id, node_id, run`,
    values: [namespace, name, key],
  });
  return rows.map((row) => ({ executionId: row.execution_id, nodeId: row.node_id, run: row.run }));
}
