import type { Knex } from "knex";
import type pg from "pg";
import type { Queryable } from "./statement.ts";

/** One change of a schema. Its name is recorded for ever: never rename one that has run anywhere. */
export interface Migration {
  /** Sorts by itself: `0001_create_executions`. */
  name: string;
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

const NAME = /^[0-9a-z][0-9a-z_]*$/;

/** Checks the names (unique, lower case) and keeps the given order. */
export function defineMigrations(migrations: readonly Migration[]): readonly Migration[] {
  const seen = new Set<string>();
  for (const { name } of migrations) {
    if (!NAME.test(name))
      throw new Error(`migration ${JSON.stringify(name)}: use lower-case letters, digits and underscores`);
    if (seen.has(name)) throw new Error(`migration ${name} is defined twice`);
    seen.add(name);
  }
  return migrations;
}

/** Brings the schema up to date; several processes may do so at once. Returns the names of what ran now. */
export async function migrate(
  knex: Knex,
  schema: string,
  migrations: readonly Migration[],
  connect: () => Promise<pg.Client>,
): Promise<string[]> {
  defineMigrations(migrations);
  const guard = await connect();
  try {
    // Knex's own lock is a row: two processes trip over each other making its table, and a process that is killed leaves
    // it locked for ever. This one ends with its connection.
    await guard.query("select pg_advisory_lock(hashtextextended($1, 0))", [`${schema}.migrations`]);
    // Knex puts its own two tables into the schema before any migration could create it.
    await knex.raw("create schema if not exists ??", [schema]);
    const config = { migrationSource: source(migrations), schemaName: schema, tableName: "migrations" };
    const { rows } = await knex.raw("select to_regclass(?) as found", [`${schema}.migrations_lock`]);
    // Whoever held it is gone: we have the guard.
    if (rows[0].found !== null) await knex.migrate.forceFreeMigrationsLock(config);
    const [, names] = (await knex.migrate.latest(config)) as [number, string[]];
    return names;
  } finally {
    await guard.end();
  }
}

/** The names of those that have not run in the schema yet, in order; all of them when there is no schema. */
export async function listPendingMigrations(
  database: Queryable & { readonly schema: string },
  migrations: readonly Migration[],
): Promise<string[]> {
  const table = `${database.schema}.migrations`;
  const { rows: found } = await database.query<{ found: string | null }>({
    text: "select to_regclass($1) as found",
    values: [table],
  });
  const { rows } =
    found[0]?.found == null
      ? { rows: [] }
      : await database.query<{ name: string }>({ text: `select name from ${table}` });
  const done = new Set(rows.map(({ name }) => name));
  return migrations.filter(({ name }) => !done.has(name)).map(({ name }) => name);
}

/** Names come from the definition and not from files: bundling or renaming a file does not run a migration again. */
function source(migrations: readonly Migration[]): Knex.MigrationSource<Migration> {
  return {
    getMigrations: async () => [...migrations],
    getMigrationName: (migration) => migration.name,
    getMigration: async (migration) => migration,
  };
}
