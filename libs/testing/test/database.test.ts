import { type Migration, openDatabase } from "@heddle/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../src/index.ts";

const migrations: Migration[] = [
  {
    name: "0001_items",
    up: (knex) => knex.schema.createTable("items", (table) => void table.integer("n").notNullable()),
    down: (knex) => knex.schema.dropTable("items"),
  },
];

let subject: TestDatabase;
beforeAll(async () => {
  subject = await createTestDatabase({ schema: "shop", migrations });
});
afterAll(() => subject.drop());

const count = async (): Promise<unknown> => {
  const { rows } = await subject.database.query<{ n: number }>({ text: "select count(*)::int as n from items" });
  return rows[0]?.n;
};

test("everything is in the schema of its own, migrations too, and knex finds it", async () => {
  const { rows } = await subject.database.query<{ name: string }>({
    text: "select tablename as name from pg_tables where schemaname = 'shop' order by 1",
  });
  expect(rows.map((row) => row.name)).toEqual(["items", "migrations", "migrations_lock"]);
  expect(await subject.database.knex("items").select()).toEqual([]);
});

test("migrations run once, however many processes begin", async () => {
  const handles = Array.from({ length: 4 }, () =>
    openDatabase({ url: subject.url, schema: "fresh", maxConnections: 2 }),
  );
  const names = await Promise.allSettled(handles.map((handle) => handle.migrate(migrations)));
  await Promise.all(handles.map((handle) => handle.close()));
  const ran = names.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)));
  expect(ran.sort((a, b) => a.length - b.length)).toEqual([[], [], [], ["0001_items"]]);
});

test("a lock that a killed process left behind does not keep the next from migrating", async () => {
  const handle = subject.open();
  await handle.query({ text: "update migrations_lock set is_locked = 1" });
  const more: Migration = { name: "0002_more", up: async () => undefined, down: async () => undefined };
  expect(await handle.migrate([...migrations, more])).toEqual(["0002_more"]);
});

test("a transaction commits what it did, or nothing", async () => {
  await subject.database.transaction((transaction) => transaction.query({ text: "insert into items values (1)" }));
  expect(await count()).toBe(1);
  const failing = subject.database.transaction(async (transaction) => {
    await transaction.query({ text: "insert into items values (2)" });
    throw new Error("changed my mind");
  });
  await expect(failing).rejects.toThrow("changed my mind");
  expect(await count()).toBe(1);
});

test("a commit that turned into a rollback is an error", async () => {
  const swallowing = subject.database.transaction(async (transaction) => {
    await transaction.query({ text: "insert into items values (3)" });
    await transaction.query({ text: "select 1 / 0" }).catch(() => undefined);
  });
  await expect(swallowing).rejects.toThrow("the transaction was rolled back");
  expect(await count()).toBe(1);
});

test("a schema that is no plain identifier is refused", () => {
  expect(() => openDatabase({ url: subject.url, schema: 'a"; drop' })).toThrow("use lower-case letters");
});
