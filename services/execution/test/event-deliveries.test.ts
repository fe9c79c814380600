import type { BusEvent } from "@heddle/engine";
import { DomainError, type ErrorKind } from "@heddle/errors";
import { newId } from "@heddle/journal";
import type { DeliverEventRequest } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { Database, Queryable, Statement } from "@heddle/store";
import { createLogger } from "@heddle/telemetry";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTellEvent } from "../src/events/tell-event.ts";
import { executionMigrations } from "../src/index.ts";
import { insertEventWait, pageEventWaits } from "../src/store/event-waits.ts";
import { insertRecentEvent, listRecentEvents } from "../src/store/recent-events.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const HOUR_MS = 3_600_000;
const ANY_ID = newId(0, NOW + HOUR_MS);

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase({ schema: "execution", migrations: executionMigrations });
  database = testDatabase.open();
});
beforeEach(() => database.query({ text: "truncate event_waits, recent_events", values: [] }));
afterAll(() => testDatabase.drop());

/** An execution that began then and waits, for all keys with null; gives its id. */
async function wait(startedAt: number, key: string | null = "7"): Promise<string> {
  const id = newId(1, startedAt);
  await insertEventWait(database, "default", id, { nodeId: "node", run: 0, event: "paid", ...(key && { key }) });
  return id;
}

function paid(occurredAt: number, key = "7"): BusEvent {
  return {
    id: `emitter/${occurredAt}`,
    name: "paid",
    key,
    payload: null,
    executionId: "e",
    workflowId: "w",
    occurredAt,
  };
}

/** Who was told, of a `tellEvent` whose deliveries to some executions fail. */
function open(failures: ReadonlyMap<string, Error> = new Map()) {
  const told: string[] = [];
  const tellEvent = createTellEvent({
    database,
    async deliver({ executionId }: DeliverEventRequest) {
      const failure = failures.get(executionId);
      if (failure !== undefined) throw failure;
      told.push(executionId);
    },
    now: () => NOW,
    logger: createLogger({ name: "test", level: "silent" }),
  });
  return { told, tell: (event: BusEvent) => tellEvent("default", event) };
}

function refusal(kind: ErrorKind, reason: string): DomainError {
  return new DomainError({ kind, reason, message: reason });
}

describe("an event that was long on its way", () => {
  it("reaches the executions that have waited for it since before, and is not kept for others", async () => {
    const { told, tell } = open();
    const since = await wait(NOW - 3 * HOUR_MS);
    await wait(NOW - HOUR_MS);
    expect(await tell(paid(NOW - 2 * HOUR_MS))).toBe(1);
    expect(told).toEqual([since]);
    const { rows } = await database.query({ text: "select event_id from recent_events", values: [] });
    expect(rows).toEqual([]);
  });

  it("does not reach an execution that began after it, though within the hour", async () => {
    const { told, tell } = open();
    const since = await wait(NOW - HOUR_MS);
    await wait(NOW - 60_000);
    expect(await tell(paid(NOW - HOUR_MS / 2))).toBe(1);
    expect(told).toEqual([since]);
  });

  it("reaches one that seems to have begun after it by as much as clocks may differ", async () => {
    const { told, tell } = open();
    const id = await wait(NOW);
    await tell(paid(NOW - 1_000));
    expect(told).toEqual([id]);
  });
});

describe("an execution that cannot take an event", () => {
  it("keeps it from none of those behind it, when no repetition would help", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 60; index += 1) ids.push(await wait(NOW - HOUR_MS + index));
    const { told, tell } = open(new Map([[ids[0]!, refusal("failed_precondition", "AGGREGATE_QUARANTINED")]]));
    expect(await tell(paid(NOW))).toBe(59);
    expect(told).toEqual(ids.slice(1));
  });

  it("makes the event come again when it may take it later, and those behind it are told all the same", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 60; index += 1) ids.push(await wait(NOW - HOUR_MS + index));
    const away = refusal("unavailable", "PARTITION_NOT_OWNED");
    const { told, tell } = open(new Map([[ids[0]!, away]]));
    await expect(tell(paid(NOW))).rejects.toBe(away);
    expect(told).toEqual(ids.slice(1));
  });

  it("is forgotten when it has ended", async () => {
    const id = await wait(NOW - HOUR_MS);
    expect(await open(new Map([[id, refusal("aborted", "EVENT_NOT_AWAITED")]])).tell(paid(NOW))).toBe(0);
    const { told, tell } = open();
    await tell(paid(NOW));
    expect(told).toEqual([]);
  });
});

describe("waits of many keys", () => {
  const page = { namespace: "default", name: "paid", key: "7", before: ANY_ID, pageSize: 4 };

  it("are found page by page: of the key, and of all keys, in one order", async () => {
    const expected: string[] = [];
    for (let index = 0; index < 9; index += 1) {
      expected.push(await wait(NOW + index, index % 2 === 0 ? "7" : null));
      await wait(NOW + index, "8");
    }
    // More than a page of nodes of one execution.
    for (let node = 0; node < 9; node += 1)
      await insertEventWait(database, "default", expected[0]!, { nodeId: `n${node}`, run: 0, event: "paid", key: "7" });
    const found = await collect(pageEventWaits(database, page));
    expect(found.map(({ executionId }) => executionId)).toEqual([...Array(9).fill(expected[0]), ...expected]);
    expect(new Set(found.map(({ executionId, nodeId }) => `${executionId} ${nodeId}`)).size).toBe(18);
  });

  it("are not read by who looks for one", async () => {
    await fillWithOtherKeys();
    const ids = [await wait(NOW), await wait(NOW + 1, null)];
    const waits = await watch((queryable) => collect(pageEventWaits(queryable, { ...page, pageSize: 1_000 })));
    expect(waits.result.map(({ executionId }) => executionId)).toEqual(ids);
    expect(waits.rowsRead).toBeLessThan(10);

    await insertRecentEvent(database, "default", paid(NOW));
    const since = { since: new Date(NOW - HOUR_MS), limit: 200 };
    const events = await watch((queryable) =>
      listRecentEvents(queryable, "default", { event: "paid", key: "7" }, since),
    );
    expect(events.result.map(({ id }) => id)).toEqual([paid(NOW).id]);
    expect(events.rowsRead).toBeLessThan(10);
  });
});

async function collect<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

async function fillWithOtherKeys(): Promise<void> {
  await database.query({
    text: `insert into event_waits (namespace, event, key, execution_id, node_id, run)
      select 'default', 'paid', 'other ' || n, gen_random_uuid(), 'node', 0 from generate_series(1, 5000) n`,
    values: [],
  });
  await database.query({
    text: `insert into recent_events (event_id, namespace, name, key, execution_id, workflow_id, occurred_at, payload)
      select 'e' || n, 'default', 'paid', 'other ' || n, '', '', $1::timestamptz, 'null' from generate_series(1, 5000) n`,
    values: [new Date(NOW - 1_000)],
  });
  await database.query({ text: "analyze event_waits, recent_events", values: [] });
}

interface PlanNode {
  "Relation Name"?: string;
  "Actual Rows": number;
  "Rows Removed by Filter"?: number;
  Plans?: PlanNode[];
}

/** Runs `work`, and each of its statements once more to count the rows of tables that it reads. */
async function watch<T>(work: (queryable: Queryable) => Promise<T>): Promise<{ result: T; rowsRead: number }> {
  const statements: Statement[] = [];
  const result = await work({
    query(statement) {
      statements.push(statement);
      return database.query(statement);
    },
  });
  let rowsRead = 0;
  const count = (node: PlanNode): void => {
    if (node["Relation Name"] !== undefined) rowsRead += node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0);
    for (const inner of node.Plans ?? []) count(inner);
  };
  for (const { text, values } of statements) {
    const { rows } = await database.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>({
      text: `explain (analyze, format json) ${text}`,
      values,
    });
    count(rows[0]!["QUERY PLAN"][0].Plan);
  }
  return { result, rowsRead };
}
