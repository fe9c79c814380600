import type { Database, Transaction } from "@heddle/store";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createDedupingConsumer,
  createPositionTableSql,
  createRawEventMessage,
  createSqlPositionStore,
  dropPositionTableSql,
  type EventMessage,
} from "../src/index.ts";

describe("positions in Postgres", () => {
  const context = { group: "g", topic: "t", partition: 0, signal: new AbortController().signal };
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase({ schema: "consumer", migrations: [] });
    ({ database } = test);
  });
  afterAll(() => test?.drop());
  beforeEach(async () => {
    for (const text of [dropPositionTableSql, createPositionTableSql, createPositionTableSql])
      await database.query({ text });
    await database.query({ text: "drop table if exists effects" });
    await database.query({ text: "create table effects (id text not null, number bigserial)" });
  });

  const message = (partition: number, offset: number): EventMessage =>
    createRawEventMessage("t", new Uint8Array(), {
      id: `${partition}/${offset}`,
      source: "/a",
      key: "k",
      position: { partition, offset, index: 0 },
    });

  const insert = async (transaction: Transaction, messages: readonly EventMessage[]): Promise<void> => {
    for (const { headers } of messages) {
      await transaction.query({ text: "insert into effects (id) values ($1)", values: [headers.ce_id] });
    }
  };

  const effects = async (): Promise<string[]> => {
    const { rows } = await database.query<{ id: string }>({ text: "select id from effects order by number" });
    return rows.map(({ id }) => id);
  };

  const positions = () => createSqlPositionStore<Transaction>({ transaction: (work) => database.transaction(work) });

  it("takes effect once, also after a restart of the consumer", async () => {
    const handler = (messages: readonly EventMessage[], { transaction }: { transaction: Transaction }) =>
      insert(transaction, messages);
    const first = createDedupingConsumer({ positions: positions(), handler });
    await first([message(2, 1), message(1, 1), message(2, 2)], context);
    await first([message(2, 2)], context);
    const second = createDedupingConsumer({ positions: positions(), handler });
    await second([message(2, 1), message(2, 2), message(2, 3), message(1, 1)], context);
    expect(await effects()).toEqual(["2/1", "1/1", "2/2", "2/3"]);
  });

  it("rolls effect and position back together", async () => {
    let failing = true;
    const consume = createDedupingConsumer({
      positions: positions(),
      async handler(messages, { transaction }) {
        await insert(transaction, messages);
        if (failing) throw new Error("after the effect");
      },
    });
    await expect(consume([message(1, 1)], context)).rejects.toThrow("after the effect");
    expect(await effects()).toEqual([]);
    failing = false;
    await consume([message(1, 1)], context);
    expect(await effects()).toEqual(["1/1"]);
  });

  it("lets two consumers that both believe to own the partition take effect once", async () => {
    const consumers = [1, 2, 3, 4].map(() =>
      createDedupingConsumer({
        positions: positions(),
        handler: (messages, { transaction }) => insert(transaction, messages),
      }),
    );
    for (let offset = 1; offset <= 20; offset += 1) {
      await Promise.all(consumers.map((consume) => consume([message(1, offset), message(2, offset)], context)));
    }
    expect(await effects()).toEqual(Array.from({ length: 20 }, (_, i) => [`1/${i + 1}`, `2/${i + 1}`]).flat());
  });

  it("keeps offsets that are as large as a journal gets", async () => {
    const store = positions();
    const key = { group: "g", topic: "t", partition: 3, source: "/a#1" };
    const mark = { offset: Number.MAX_SAFE_INTEGER, index: 2_000 };
    await store.transaction(async (transaction) => {
      expect(await store.lock(transaction, [key])).toEqual([undefined]);
      await store.save(transaction, [{ key, mark }]);
    });
    await store.transaction(async (transaction) => expect(await store.lock(transaction, [key])).toEqual([mark]));
  });
});
