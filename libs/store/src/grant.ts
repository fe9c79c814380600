import { DomainError } from "@heddle/errors";
import type { Queryable } from "./statement.ts";

const ROLE = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * Lets a role work with the rows of a schema, and change nothing else: what a serving process needs when another role owns the
 * tables. To be repeated after each migration; repeating it changes nothing.
 * @throws DomainError `CONFIG_INVALID` for a role that does not exist, or whose name would have to be quoted
 */
export async function grantRows(database: Queryable & { readonly schema: string }, role: string): Promise<void> {
  const { schema } = database;
  if (!ROLE.test(role)) throw unusable(role, "its name needs lower-case letters, digits and underscores");
  const { rows } = await database.query({ text: "select from pg_roles where rolname = $1", values: [role] });
  if (rows.length === 0) throw unusable(role, "the database has no such role; create it first");
  const statements = [
    `grant usage on schema ${schema} to ${role}`,
    `grant select, insert, update, delete on all tables in schema ${schema} to ${role}`,
    `grant usage, select on all sequences in schema ${schema} to ${role}`,
    `grant execute on all functions in schema ${schema} to ${role}`,
    // Which migrations have run is for those who run them.
    `revoke insert, update, delete on ${schema}.migrations, ${schema}.migrations_lock from ${role}`,
  ];
  for (const text of statements) await database.query({ text });
}

function unusable(role: string, why: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "CONFIG_INVALID",
    message: `the role "${role}" cannot be granted the schema: ${why}`,
    metadata: { role },
  });
}
