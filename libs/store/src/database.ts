import knexFactory, { type Knex } from "knex";
import pg from "pg";
import { explainFailure } from "./failure.ts";
import { defaultMaxConnections, statementLimits } from "./limits.ts";
import { type Migration, migrate } from "./migrate.ts";
import type { Queryable, Statement, StatementResult, Transaction } from "./statement.ts";

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database` */
  url: string;
  /** PEM file of the server's authorities. Given, the connection is by TLS, and the server's name is verified; read for each connection. */
  caFile?: string | undefined;
  /** The service's own schema, an identifier in lower case; everything it creates and names without a schema is there. */
  schema: string;
  /** Connections of the pool behind `query` and `transaction`; `knex` has a pool of its own of the same size, opened on use. Default 10. */
  maxConnections?: number;
  /** Shown in pg_stat_activity. Default: the schema. */
  applicationName?: string;
}

/** A connection outside any pool. */
export type Connection = pg.Client;

/** One service's schema in one Postgres database. */
export interface Database extends Queryable {
  readonly schema: string;
  /** For schema and ordinary queries; opens its first connection on first use. */
  readonly knex: Knex;
  /** Commits when `work` resolves, rolls back when it rejects. Rejects when the commit turned into a rollback. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Creates the schema and runs what has not run yet, under a lock. Returns the names of what ran now. */
  migrate(migrations: readonly Migration[]): Promise<string[]>;
  /** A connection of one's own, outside the pool, with the schema as search path. The caller ends it. */
  connect(options?: { applicationName?: string }): Promise<Connection>;
  close(): Promise<void>;
}

const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;

/** Opens pools lazily: no connection is made before the first statement. */
export function openDatabase(options: DatabaseOptions): Database {
  const { schema } = options;
  const url = options.caFile === undefined ? options.url : withAuthority(options.url, options.caFile);
  if (!IDENTIFIER.test(schema)) {
    throw new Error(
      `schema ${JSON.stringify(schema)}: use lower-case letters, digits and underscores, at most 63, no digit first`,
    );
  }
  const maxConnections = options.maxConnections ?? defaultMaxConnections;
  const applicationName = options.applicationName ?? schema;
  const connection = connectionConfig(url, schema, applicationName);
  const pool = new pg.Pool({ ...connection, max: maxConnections, idleTimeoutMillis: statementLimits.idleConnectionMs });
  // Without a listener the death of an idle connection would end the process; the pool replaces it by itself.
  pool.on("error", ignore);
  // From its first moment: a server that ends a session as it begins says both in one packet, before anybody could listen.
  pool.on("connect", (client) => client.on("error", ignore));
  let knex: Knex | undefined;
  let closed = false;

  const lazyKnex = (): Knex => {
    knex ??= knexFactory({
      client: "pg",
      connection: connection as Knex.PgConnectionConfig,
      searchPath: [schema],
      pool: { min: 0, max: maxConnections },
    });
    return knex;
  };

  const connect: Database["connect"] = async (extra = {}) => {
    const client = new pg.Client(connectionConfig(url, schema, extra.applicationName ?? applicationName));
    client.on("error", ignore);
    await client.connect();
    return client;
  };

  return {
    schema,
    get knex() {
      return lazyKnex();
    },
    query: (statement) => explained(run(pool, statement)),
    transaction: (work) => explained(inTransaction(pool, work)),
    migrate: (migrations) => migrate(lazyKnex(), schema, migrations, connect),
    connect,
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all([pool.end(), knex?.destroy()]);
    },
  };
}

/** As libpq names it; the driver has no other way that goes well with what the URL may say itself. */
function withAuthority(url: string, caFile: string): string {
  const verified = new URL(url);
  verified.searchParams.set("sslmode", "verify-full");
  verified.searchParams.set("sslrootcert", caFile);
  return verified.href;
}

function connectionConfig(url: string, schema: string, applicationName: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: applicationName,
    options: `-c search_path=${schema}`,
    connectionTimeoutMillis: statementLimits.connectTimeoutMs,
    keepAlive: true,
  };
}

type Runner = Pick<pg.Pool, "query"> | Pick<pg.ClientBase, "query">;

async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw explainFailure(error);
  }
}

async function run<Row>(runner: Runner, statement: Statement): Promise<StatementResult<Row>> {
  const result = await (runner as pg.Pool).query(statement as pg.QueryConfig);
  return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0, command: result.command };
}

async function inTransaction<T>(pool: pg.Pool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work({ query: (statement) => run(client, statement) });
    const { command } = await client.query("COMMIT");
    // Postgres answers ROLLBACK, without an error, when an earlier statement's failure was swallowed by `work`.
    if (command !== "COMMIT")
      throw new Error("the transaction was rolled back: a statement in it failed and its error was ignored");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

function ignore(): void {}
