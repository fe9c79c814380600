import { type Environment, type Settings, settingsReport } from "@heddle/config";
import { DomainError } from "@heddle/errors";
import type { Database } from "@heddle/store";
import { createLogger, type Logger } from "@heddle/telemetry";
import { readCommand, readEnvironment } from "./config.ts";
import { createClosers } from "./closers.ts";
import { MIGRATE_WAIT_MS } from "./limits.ts";
import { type ProcessContext, serve, type ServerValues, type ServiceParts } from "./serve.ts";
import type { DatabaseValues, ServiceSchema } from "./service-database.ts";

interface Options<V extends ServerValues, D> {
  /** The service, e.g. `execution`: stands in every line of the log. */
  name: string;
  config: { readonly settings: Settings; parse(env: Environment): V };
  /** Puts the service together. Nothing is started or asked yet; what it opens goes to `context.onClose`. */
  compose(context: ProcessContext<V, D>): ServiceParts | Promise<ServiceParts>;
}

/** A service that keeps nothing. */
export type StatelessOptions<V extends ServerValues> = Options<V, undefined>;

/** A service with a schema of its own in Postgres. */
export interface StatefulOptions<V extends ServerValues & DatabaseValues> extends Options<V, Database> {
  store: ServiceSchema;
}

/** Exit codes: 0 for a process that was told to end, 2 for settings or arguments that a new start would not mend, else 1. */
export const EXIT_FAILURE = 1;
export const EXIT_CONFIG = 2;

/**
 * The whole life of a service's process: `main.ts` serves until SIGTERM or SIGINT, `main.ts check-config` prints every
 * setting with its value or its fault and ends, `main.ts migrate` brings the schema up to date and ends.
 */
export function runProcess<V extends ServerValues & DatabaseValues>(options: StatefulOptions<V>): Promise<void>;
export function runProcess<V extends ServerValues>(options: StatelessOptions<V>): Promise<void>;
export async function runProcess<V extends ServerValues & Partial<DatabaseValues>, D>(
  options: Options<V, D> & { store?: ServiceSchema },
): Promise<void> {
  let logger: Logger | undefined;
  const end = (error: unknown, message: string): never => {
    // Before there is a logger, and for what an operator has given, a line for people; a stack helps with the rest only.
    if (logger === undefined || isCircumstance(error)) process.stderr.write(`${options.name}: ${messageOf(error)}\n`);
    else logger.fatal({ err: error }, message);
    process.exit(isConfigFault(error) ? EXIT_CONFIG : EXIT_FAILURE);
  };
  process.on("uncaughtException", (error) => end(error, "an error that nobody handled; the process ends"));
  process.on("unhandledRejection", (error) => end(error, "a rejection that nobody handled; the process ends"));
  try {
    const { name, config, store } = options;
    const command = readCommand();
    const environment = readEnvironment();
    if (command === "check-config") process.stdout.write(settingsReport(config.settings, environment));
    const values = config.parse(environment);
    if (command === "check-config") process.exit(0);
    logger = createLogger({ name, level: values.HEDDLE_LOG_LEVEL });
    if (command === "migrate") {
      await runMigrations(store, values, logger);
      process.exit(0);
    }
    await serve({ ...options, values, logger, fail: (error) => end(error, "the process cannot go on") });
  } catch (error) {
    end(error, "the process cannot go on");
  }
}

async function runMigrations(
  store: ServiceSchema | undefined,
  values: Partial<DatabaseValues>,
  logger: Logger,
): Promise<void> {
  if (store === undefined) {
    logger.info("this service keeps nothing: there is nothing to migrate");
    return;
  }
  const { migrateSchema, openServiceDatabase, waitForDatabase } = await import("./service-database.ts");
  const closers = createClosers();
  const database = openServiceDatabase(values, store.schema, `${store.schema} migrate`);
  closers.add(() => database.close());
  try {
    const patience = AbortSignal.timeout(MIGRATE_WAIT_MS);
    await waitForDatabase(database, logger, patience).catch((cause: unknown) => {
      throw patience.aborted ? databaseAway(cause) : cause;
    });
    await migrateSchema(database, store.migrations, logger, values.HEDDLE_DATABASE_GRANT_TO);
  } finally {
    await closers.closeAll();
  }
}

function databaseAway(cause: unknown): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "DEPENDENCY_UNAVAILABLE",
    message: `the database of DATABASE_URL has not answered for ${MIGRATE_WAIT_MS / 1000} s; start it, then run this again`,
    cause,
  });
}

/** Whether the error is about what the process was started with. A stack helps only with the others, which are defects. */
function isCircumstance(error: unknown): boolean {
  return error instanceof DomainError || (error instanceof Error && "syscall" in error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isConfigFault(error: unknown): boolean {
  return error instanceof DomainError && error.reason === "CONFIG_INVALID";
}
