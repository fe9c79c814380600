import type { Database, Transaction } from "@heddle/store";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createMemoryBus,
  createPoisonTableSql,
  createRawEventMessage,
  createSqlPoisonStore,
  dropPoisonTableSql,
  type EventMessage,
  type PoisonMessage,
  type PoisonStore,
} from "../src/index.ts";

describe("poison in Postgres", () => {
  let test: TestDatabase;
  let database: Database;
  let store: PoisonStore<Transaction>;

  beforeAll(async () => {
    test = await createTestDatabase({ schema: "consumer", migrations: [] });
    ({ database } = test);
    store = createSqlPoisonStore({ transaction: (work) => database.transaction(work) });
  });
  afterAll(() => test?.drop());
  beforeEach(async () => {
    for (const text of [dropPoisonTableSql, createPoisonTableSql, createPoisonTableSql]) await database.query({ text });
  });

  const message = (id: string): EventMessage =>
    createRawEventMessage("t", Uint8Array.of(0, 255, 7), { id, source: "/a", key: "k", traceparent: "00-x" });

  const poison = (id: string, offset: number | undefined, error: unknown = new Error("no")): PoisonMessage => ({
    group: "g",
    message: message(id),
    partition: 3,
    attempts: 8,
    error,
    offset,
  });

  const key = (messageId: string) => ({ group: "g", topic: "t", partition: 3, messageId });

  it("keeps everything of a message, and why it is there", async () => {
    await store.park(poison("a/1", 42, new TypeError("x is not a function")));
    const [parked] = await store.list();
    expect({ ...parked, message: { ...parked?.message, value: [...(parked?.message.value ?? [])] } }).toMatchObject({
      ...key("42"),
      attempts: 8,
      message: { ...message("a/1"), value: [0, 255, 7] },
    });
    expect(parked?.error).toMatch(/^TypeError: x is not a function\n {4}at /);
    expect(parked?.parkedAt).toBeInstanceOf(Date);
  });

  it("keeps one row of a message, however often it is parked", async () => {
    await store.park(poison("a/1", 42));
    await store.park({ ...poison("a/1", 42, new Error("later")), attempts: 9 });
    await store.park(poison("a/2", 43));
    await store.park({ ...poison("a/1", 42), group: "other" });
    expect(await store.summarize()).toEqual([
      { group: "g", topic: "t", messages: 2, lastError: expect.stringMatching(/^Error: no\n/) as string },
      { group: "other", topic: "t", messages: 1, lastError: expect.stringMatching(/^Error: no\n/) as string },
    ]);
    const [first] = await store.list({ group: "g", limit: 1 });
    expect(first).toMatchObject({ messageId: "42", attempts: 9, error: expect.stringContaining("later") as string });
    expect(await store.list({ topic: "elsewhere" })).toEqual([]);
  });

  it("tells messages of a bus without offsets apart by their events, over a restart too", async () => {
    const bus = createMemoryBus({ limits: { deliveryMaxAttempts: 2, redeliveryMinMs: 1 } });
    const handler = async (): Promise<void> => {
      throw new Error("poison");
    };
    bus.subscribe({ group: "g", topics: ["t"], handler, parkPoison: (parked) => store.park(parked) });
    await bus.publish([message("a/1"), message("a/2"), message("a/1")]);
    await bus.close();
    const parked = await store.list();
    expect(parked.map(({ messageId }) => messageId).toSorted()).toEqual(["/a a/1", "/a a/2"]);
  });

  it.each([["text\0with NUL"], [{ not: "an error" }], [undefined], ["x".repeat(100_000)]])(
    "parks whatever a handler threw: %o",
    async (error) => {
      await store.park({ ...poison("a/\0", 1, error), message: { ...message("a/\0"), key: "k\0" } });
      const [parked] = await store.list();
      expect(parked?.error.length).toBeLessThan(10_000);
      expect(parked?.message.key).toBe("k\uFFFD");
    },
  );

  it("hands a message to a handler once more, and forgets it with what the handler did", async () => {
    await database.query({ text: "create table effects (id text not null)" });
    await store.park(poison("a/1", 42));
    const insert = async ({ headers }: EventMessage, transaction: Transaction): Promise<void> => {
      await transaction.query({ text: "insert into effects (id) values ($1)", values: [headers.ce_id] });
    };
    const failing = store.redeliver(key("42"), async (given, transaction) => {
      await insert(given, transaction);
      throw new Error("still no");
    });
    await expect(failing).rejects.toThrow("still no");
    expect(await store.list()).toMatchObject([{ attempts: 9, error: expect.stringContaining("still no") as string }]);

    // Two operators at once: one of them finds it taken or gone.
    const outcomes = await Promise.all([1, 2, 3].map(() => store.redeliver(key("42"), insert)));
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    const { rows } = await database.query({ text: "select id from effects" });
    expect(rows).toEqual([{ id: "a/1" }]);
    expect(await store.list()).toEqual([]);
    expect(await store.redeliver(key("42"), insert)).toBe(false);
  });

  it("deletes what is not worth handling", async () => {
    await store.park(poison("a/1", 42));
    expect(await store.delete(key("42"))).toBe(true);
    expect(await store.delete(key("42"))).toBe(false);
    expect(await store.list()).toEqual([]);
  });
});
