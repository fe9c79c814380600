import type { Knex } from "knex";

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
export async function migrate(knex: Knex, schema: string, migrations: readonly Migration[]): Promise<string[]> {
  defineMigrations(migrations);
  // Knex puts its own two tables into the schema before any migration could create it.
  await createSchema(knex, schema);
  const [, names] = (await knex.migrate.latest({
    migrationSource: source(migrations),
    schemaName: schema,
    tableName: "migrations",
  })) as [number, string[]];
  return names;
}

/** Names come from the definition and not from files: bundling or renaming a file does not run a migration again. */
function source(migrations: readonly Migration[]): Knex.MigrationSource<Migration> {
  return {
    getMigrations: async () => [...migrations],
    getMigrationName: (migration) => migration.name,
    getMigration: async (migration) => migration,
  };
}

async function createSchema(knex: Knex, schema: string): Promise<void> {
  const { rows } = await knex.raw("select 1 from pg_namespace where nspname = ?", [schema]);
  if (rows.length > 0) return;
  // IF NOT EXISTS alone still fails with a unique violation when two processes create it at the same moment.
  await knex.raw("create schema if not exists ??", [schema]).catch((error: { code?: string }) => {
    if (error.code !== "23505") throw error;
  });
}
