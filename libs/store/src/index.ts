export { type Connection, type Database, type DatabaseOptions, openDatabase } from "./database.ts";
export { grantRows } from "./grant.ts";
export { defineMigrations, listPendingMigrations, type Migration } from "./migrate.ts";
export type { Queryable, Statement, StatementResult, Transaction } from "./statement.ts";
export { listBinaries, listSystemBinaries, type PostgresBinaries } from "./embedded/binaries.ts";
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from "./embedded/start.ts";
export { decodePageToken, encodePageToken } from "./page-token.ts";
