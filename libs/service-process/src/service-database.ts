import { accessSync, constants } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@heddle/errors";
import { type Database, grantRows, listPendingMigrations, type Migration, openDatabase } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { DATABASE_COMPLAINT_MS, DATABASE_RETRY_MS } from "./limits.ts";

/** What a service keeps in Postgres. */
export interface ServiceSchema {
  schema: string;
  migrations: readonly Migration[];
}

export interface DatabaseValues {
  DATABASE_URL: string;
  HEDDLE_DATABASE_CA_FILE?: string | undefined;
  HEDDLE_DATABASE_CONNECTIONS: number;
  HEDDLE_MIGRATE: boolean;
  HEDDLE_DATABASE_GRANT_TO?: string;
}

/** The service's schema; nothing is connected yet. `client` stands in pg_stat_activity. */
export function openServiceDatabase(values: Partial<DatabaseValues>, schema: string, client: string): Database {
  const { DATABASE_URL: url } = values;
  if (url === undefined) throw new TypeError("a service with a store takes databaseSettings into its settings");
  const caFile = values.HEDDLE_DATABASE_CA_FILE;
  // Later it would look like a server that is away.
  if (caFile !== undefined) accessSync(caFile, constants.R_OK);
  return openDatabase({
    url,
    caFile,
    schema,
    maxConnections: values.HEDDLE_DATABASE_CONNECTIONS,
    // Postgres cuts longer ones, and says so in its log every time.
    applicationName: client.slice(0, 63),
  });
}

/**
 * Resolves when the database answers. One that is away (not started, starting, restarting, no address yet) is asked
 * again until the signal aborts; any other failure, such as a wrong password, is thrown.
 */
export async function waitForDatabase(database: Database, logger: Logger, signal: AbortSignal): Promise<void> {
  for (let saidAt = Number.NEGATIVE_INFINITY; ; ) {
    signal.throwIfAborted();
    try {
      await database.query({ text: "select 1" });
      return;
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== "unavailable") throw unusable(error);
      const now = performance.now();
      if (now - saidAt >= DATABASE_COMPLAINT_MS) {
        logger.warn({ reason: error.message }, "waiting for the database");
        saidAt = now;
      }
    }
    await sleep(DATABASE_RETRY_MS, undefined, { signal });
  }
}

/** Migrates when that is wanted; otherwise makes sure that somebody has. @throws DomainError `CONFIG_INVALID` */
export async function prepareSchema(
  database: Database,
  migrations: readonly Migration[],
  mayMigrate: boolean,
  logger: Logger,
): Promise<void> {
  if (mayMigrate) {
    await migrateSchema(database, migrations, logger);
    return;
  }
  const pending = await listPendingMigrations(database, migrations);
  if (pending.length === 0) return;
  throw new DomainError({
    kind: "failed_precondition",
    reason: "CONFIG_INVALID",
    message: `the schema ${database.schema} lacks ${pending.length} migrations (${pending.join(", ")}); run \`main.ts migrate\` first, or set HEDDLE_MIGRATE=true`,
  });
}

/** Several processes may do so at once. `grantTo` is the role of the processes that serve, when it is another one. */
export async function migrateSchema(
  database: Database,
  migrations: readonly Migration[],
  logger: Logger,
  grantTo?: string,
): Promise<void> {
  const names = await database.migrate(migrations);
  if (grantTo !== undefined) await grantRows(database, grantTo);
  logger.info({ schema: database.schema, migrations: names, grantTo }, `${names.length} migrations have run`);
}

function unusable(cause: unknown): DomainError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DomainError({
    kind: "failed_precondition",
    reason: "CONFIG_INVALID",
    message: `the Postgres of DATABASE_URL cannot be used: ${why}`,
    cause,
  });
}
