import { expect, test } from "vitest";
import { defineMigrations } from "./migrate.ts";

const migration = (name: string) => ({ name, up: async () => undefined, down: async () => undefined });

test("names are kept in the given order", () => {
  const migrations = [migration("0001_create"), migration("0002_extend")];
  expect(defineMigrations(migrations)).toEqual(migrations);
});

test("a name that is there twice, or is no name, is refused", () => {
  expect(() => defineMigrations([migration("0001_a"), migration("0001_a")])).toThrow("0001_a is defined twice");
  expect(() => defineMigrations([migration("Create Table")])).toThrow("use lower-case letters");
});
