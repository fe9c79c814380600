import { randomBytes } from "node:crypto";
import { type Database, grantRows, openDatabase } from "@heddle/store";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { journalMigrations } from "../src/index.ts";

// The role of serving processes: it works with rows, and with the tables by time through functions of their owner.
const role = `heddle_test_${randomBytes(4).toString("hex")}`;
let owner: TestDatabase;
let serving: Database;

beforeAll(async () => {
  owner = await createTestDatabase({ schema: "serving_role", migrations: journalMigrations() });
  await owner.database.query({ text: `create role ${role} login password 'secret'` });
  await grantRows(owner.database, role);
  const url = new URL(owner.url);
  url.username = role;
  url.password = "secret";
  serving = openDatabase({ url: url.href, schema: "serving_role" });
});
afterAll(async () => {
  await serving.close();
  await owner.database.query({ text: `drop owned by ${role}` });
  await owner.database.query({ text: `drop role ${role}` });
  await owner.drop();
});

test("it reads and writes rows", async () => {
  await serving.query({ text: "insert into payloads (digest, bytes) values ('a', 'b')" });
  await serving.query({ text: "update payloads set bytes = 'c'" });
  expect((await serving.query({ text: "delete from payloads" })).rowCount).toBe(1);
  expect((await serving.query({ text: "select from migrations" })).rowCount).toBe(journalMigrations().length);
  expect((await serving.query({ text: "select nextval('journal_fences')" })).rowCount).toBe(1);
});

test("it makes a table for a stretch of time, fills it, and drops it when everything is projected and published", async () => {
  const slot = 3_600_000;
  const drop = async () =>
    (await serving.query<{ dropped: boolean }>({ text: "select journal_drop_slot($1) as dropped", values: [slot] }))
      .rows[0]?.dropped;
  await serving.query({ text: "select journal_create_slot($1)", values: [slot] });
  await serving.query({ text: "select journal_create_slot($1)", values: [slot] });
  await serving.query({ text: "insert into journal values ($1, 1, 1, 1, '')", values: [slot] });
  expect(await drop()).toBe(false);
  await serving.query({ text: "update journal_partitions set projected_offset = 1" });
  expect(await drop()).toBe(true);
  expect((await serving.query({ text: "select from journal" })).rowCount).toBe(0);
});

test.each([
  "alter table journal add column more text",
  "drop table journal",
  "truncate payloads",
  "create table others (id bigint)",
  "create index more on payloads (bytes)",
  "delete from migrations",
  "create or replace function journal_drop_slot(slot bigint) returns boolean language sql as 'select true'",
])("it cannot: %s", async (text) => {
  await expect(serving.query({ text })).rejects.toThrow(/permission denied|must be owner/);
});

test("granting again changes nothing, and a role that cannot be is named", async () => {
  await grantRows(owner.database, role);
  await expect(grantRows(owner.database, "nobody_of_that_name")).rejects.toThrow(/no such role; create it first/);
  await expect(grantRows(owner.database, 'x"; drop table journal')).rejects.toThrow(/lower-case letters/);
});
