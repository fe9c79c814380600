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

export interface WaitsOfEvent {
  namespace: string;
  name: string;
  /** Those that wait for all keys are among them too. */
  key: string;
  /** Only those of executions with a smaller id. */
  before: string;
  pageSize: number;
}

/** What waits for an event, in pages by execution, node and run. What begins meanwhile may be among them or not. */
export async function* pageEventWaits(
  database: Queryable,
  { namespace, name, key, before, pageSize }: WaitsOfEvent,
): AsyncGenerator<StoredWait[]> {
  let after: StoredWait = { executionId: NIL, nodeId: "", run: -1 };
  for (;;) {
    const { rows } = await database.query<{ execution_id: string; node_id: string; run: number }>({
      name: "list-event-waits",
      // Two ranges of one index, each in the order of the page: an "or" would read all waits of the name.
      text: `(${rangeOf("key = $3")}) union all (${rangeOf("key is null")}) order by execution_id, node_id, run limit $8`,
      values: [namespace, name, key, after.executionId, after.nodeId, after.run, before, pageSize],
    });
    const page = rows.map((row) => ({ executionId: row.execution_id, nodeId: row.node_id, run: row.run }));
    if (page.length > 0) yield page;
    if (page.length < pageSize) return;
    after = page.at(-1) as StoredWait;
  }
}

const NIL = "00000000-0000-0000-0000-000000000000";

function rangeOf(condition: string): string {
  return `select execution_id, node_id, run from event_waits
    where namespace = $1 and event = $2 and ${condition}
      and (execution_id, node_id, run) > ($4::uuid, $5::text, $6::integer) and execution_id < $7::uuid
    order by execution_id, node_id, run limit $8`;
}
