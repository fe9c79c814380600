import { byteaArray } from "@heddle/journal";

/** Columns of a table in the order of a row's cells, with their types. */
export type Columns = readonly (readonly [name: string, type: string])[];

/** Inserts rows, all in one statement; of those that are there the `mutable` columns change. Its parameters: `toParameters`. */
export function upsertSql(table: string, columns: Columns, key: readonly string[], mutable: readonly string[]): string {
  const names = columns.map(([name]) => name).join(", ");
  const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(", ");
  const changes = mutable.map((name) => `${name} = excluded.${name}`).join(", ");
  return `insert into ${table} (${names}) select * from unnest(${arrays})
    on conflict (${key.join(", ")}) do update set ${changes}`;
}

/** One array for each column. */
export function toParameters(columns: Columns, rows: readonly (readonly unknown[])[]): unknown[] {
  return columns.map(([, type], column) => {
    const cells = rows.map((row) => row[column]);
    return type === "bytea" ? byteaArray(cells as Buffer[]) : cells;
  });
}
