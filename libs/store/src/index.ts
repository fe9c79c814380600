export { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
export { defineMigrations, type Migration } from "./migrate.ts";
export type { Queryable, Statement, StatementResult, Transaction } from "./statement.ts";
